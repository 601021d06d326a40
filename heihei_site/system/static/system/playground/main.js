// Coming in, the lobby, and who gets what the socket tells.

import * as calls from "./calls.js";
import { call, connect, cut, forget, hangUp, me, remember } from "./line.js";
import { $, button, face, make, show, toast, tried } from "./parts.js";
import * as room from "./room.js";
import "./wall.js";

const NAMES = ["小雨", "阿南", "北辰", "可可", "晚风", "鹿鸣", "阿嘿", "青柠", "半夏", "星河", "木木", "浅浅"];
let refresh = 0;

// --- Coming in ------------------------------------------------------------------------------------------------------

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const someNumber = () => `138${String(Math.floor(Math.random() * 1e8)).padStart(8, "0")}`;
$("phone").value = someNumber();

async function codeOf(phoneNo, before) {
  for (let tries = 0; tries < 40; tries += 1) {
    const answer = await (await fetch(`/playground/code?phoneNo=${phoneNo}`)).json();
    if (answer.code && answer.code !== before) return answer.code;
    await pause(100);
  }
  throw new Error("验证码没有来：worker 在跑吗？");
}

async function signIn(phoneNo) {
  const before = (await (await fetch(`/playground/code?phoneNo=${phoneNo}`)).json()).code;
  await call("user/get-sms-verification-code", { phoneNo });
  const verifyCode = await codeOf(phoneNo, before);
  const answer = await call("user/sign-in-cl-by-phone", { phoneNo, verifyCode });
  remember({ token: answer.token, seq: 0, ...card(answer.userInfo) });
  if (answer.needRegist) {
    const displayName = NAMES[Math.floor(Math.random() * NAMES.length)] + phoneNo.slice(-2);
    const gender = Math.random() < 0.5 ? "Female" : "Male";
    await call("user/update", { displayName, gender, birthDay: "1995-05-20" });
    remember({ displayName });
  }
}

const card = ({ id, displayName, heiNum }) => ({ id, displayName, heiNum });

$("enter").onsubmit = async (event) => {
  event.preventDefault();
  const pressed = event.target.querySelector("button");
  pressed.disabled = true;
  pressed.textContent = "正在登录…";
  $("wrong").textContent = "";
  try {
    await signIn($("phone").value.trim());
    await home();
  } catch (error) {
    forget();
    $("wrong").textContent = error.message || "网络不通";
  }
  pressed.disabled = false;
  pressed.textContent = "登录";
};

async function home() {
  document.title = `${me.displayName} · 试验场`;
  document.body.classList.add("signed-in");
  $("door").hidden = true;
  $("lobby").hidden = false;
  $("me").hidden = false;
  $("name").textContent = me.displayName;
  $("number").textContent = `黑号 ${me.heiNum}`;
  $("face").replaceWith(Object.assign(face(me.id, me.displayName), { id: "face" }));
  connect(take, line);
  show("home");
  await Promise.all([gold(), room.shelf(), lobby()]);
  clearInterval(refresh);
  refresh = setInterval(look, 4000);
}

function leave(why) {
  clearInterval(refresh);
  hangUp();
  forget();
  if (room.inside()) room.close();
  calls.stop();
  sessionStorage.removeItem("room");
  document.body.classList.remove("signed-in");
  for (const id of ["lobby", "me", "stage"]) $(id).hidden = true;
  $("door").hidden = false;
  $("phone").value = someNumber();
  show("home");
  if (why) $("wrong").textContent = why;
}

$("out").onclick = async () => {
  await tried(() => call("user/sign-out"));
  leave();
};

// --- Gold -----------------------------------------------------------------------------------------------------------

function purse(amount) {
  $("gold").querySelector("b").textContent = amount;
}

async function gold() {
  const answer = await tried(() => call("user/user-gold"));
  if (answer) purse(answer.user.gold);
}

$("gold").onclick = () =>
  tried(async () => {
    const answer = await fetch("/playground/gold", { method: "POST", body: new URLSearchParams({ token: me.token }) });
    purse((await answer.json()).gold);
    toast("到账 1000 钻");
  });

// --- The lobby --------------------------------------------------------------------------------------------------------

async function lobby(unseen = false) {
  const [feed, people] = await Promise.all([
    tried(() => call("live/list-live-by-recommend", { limit: 12 }, unseen)),
    tried(() => call("user/list-active-user", { limit: 12 }, unseen)),
  ]);
  if (feed) lives(feed.lives);
  if (people) persons(people.result);
}

function look() {
  if (me.token && document.visibilityState === "visible" && !room.inside() && !calls.talking()) lobby(true);
}
document.addEventListener("visibilitychange", look);

function lives(found) {
  const rows = found.map((live) => {
    const text = make("div", "", make("b", "", live.title), make("small", "", `${live.userName} · ${live.onlineUsers} 人`));
    return make("li", "", face(live.userId, live.userName), text, button("进去", () => tried(() => room.enter(live.liveId)), "main"));
  });
  $("lives").replaceChildren(...(rows.length ? rows : [make("li", "nothing", "还没有人开播。你来第一个？")]));
}

function persons(found) {
  const others = found.filter((user) => user.id !== me.id);
  const rows = others.map((user) => {
    const text = make("div", "", make("b", "", user.displayName || "还没有名字"), make("small", "", `黑号 ${user.heiNum}`));
    const write = button("写信", () => calls.writeTo(user));
    return make("li", "", face(user.id, user.displayName), text, write, button("打电话", () => tried(() => calls.ring(user))));
  });
  $("people").replaceChildren(...(rows.length ? rows : [make("li", "nothing", "只有你。打开另一个标签页，再来一个人。")]));
}

$("open").onsubmit = (event) => {
  event.preventDefault();
  tried(() => room.open($("title").value.trim()));
};

// --- The room -----------------------------------------------------------------------------------------------------------

/** The line is free for the next text at once; what was refused comes back into it, unless there is something by then. */
function withText(deed) {
  return (event) => {
    event.preventDefault();
    const text = $("text").value.trim();
    if (!text) return;
    $("text").value = "";
    tried(async () => {
      try {
        await deed(text);
      } catch (error) {
        $("text").value ||= text;
        throw error;
      }
    });
  };
}
$("say").onsubmit = withText(room.say);
$("bullet").onclick = withText(room.bullet);
$("like").onclick = () => tried(room.like);
$("leave").onclick = async () => {
  await room.leave();
  lobby();
};

// --- The socket -----------------------------------------------------------------------------------------------------------

const STATES = { on: "已连接", off: "断了", wait: "连接中", ended: "已下线" };

function line(state) {
  $("line").dataset.state = state;
  $("line").lastElementChild.textContent = STATES[state];
  if (state === "ended") leave("在别处登录了，这个标签页下线了。");
}

function take(msg, element, name) {
  room.take(msg, name);
  calls.take(msg, name);
  if (name === "show-tip") toast(msg.message.desc);
  if (name === "start-live-notify") toast(msg.text);
}

$("cut").onclick = () => me.token && cut(5);
for (const tab of document.querySelectorAll("#tabs button")) {
  tab.onclick = () => {
    show(tab.dataset.to);
    for (const list of [$("frames"), $("talk")]) list.scrollTop = list.scrollHeight;
  };
}

room.prepare({ person: calls.writeTo, gold: purse });
calls.prepare({ gold: purse });
show("home");
if (me.token) {
  tried(async () => {
    remember(card((await call("user/info")).result));
    await home();
    const last = sessionStorage.getItem("room");
    if (last) await tried(() => room.enter(Number(last)));
  });
}
