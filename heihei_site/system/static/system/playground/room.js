// One live room: opening and entering it, what is said and given there.

import { call, follow, me } from "./line.js";
import { $, button, face, make, news, show, toast, tried } from "./parts.js";

const TALK_KEPT = 200;
const SHOWN_GIFTS = 8;
let live = null;
let beat = 0;
let combo = { gift: 0, uuid: "", amount: 0, at: 0 };
let onPerson = () => {};
let onGold = () => {};

export const inside = () => live !== null;
export const owns = () => live !== null && live.userId === me.id;

export function prepare({ person, gold }) {
  onPerson = person;
  onGold = gold;
}

export async function open(title) {
  const opened = await call("live/create-live", { title });
  await call("live/start-live", { liveId: opened.live.liveId });
  await enter(opened.live.liveId);
}

export async function enter(liveId) {
  if (live && live.liveId !== liveId) await leave();
  const joined = await call("live/join-live", { liveId });
  live = joined.live;
  follow(live.liveId);
  sessionStorage.setItem("room", live.liveId);
  $("talk").replaceChildren();
  $("room-title").textContent = live.title;
  $("room-owner").textContent = owns() ? "我的房间" : live.userName;
  $("leave").textContent = owns() ? "下播" : "离开";
  count(live.roomNowUserCount, live.roomUserCount);
  tickets(live.totalTickets);
  note(owns() ? "你在直播了。打开另一个标签页，走进来看看。" : "进来了，打个招呼吧。");
  $("stage").hidden = false;
  document.body.classList.add("in-room");
  show("stage");
  await people();
  clearInterval(beat);
  beat = setInterval(() => tried(heartBeat), 15000);
}

async function heartBeat() {
  if (!live) return;
  try {
    await call("live/heart-beat", { liveId: live.liveId, isCreator: owns() ? 1 : 0 });
  } catch (error) {
    if (error.code) close("已经不在这个房间里了");
    throw error;
  }
}

export async function leave() {
  const left = live;
  if (!left) return;
  close();
  await tried(() => call(left.userId === me.id ? "live/stop-live" : "live/quit-live", { liveId: left.liveId }));
}

export function close(why) {
  live = null;
  clearInterval(beat);
  follow(0);
  sessionStorage.removeItem("room");
  $("stage").hidden = true;
  document.body.classList.remove("in-room");
  show("home");
  if (why) toast(why);
}

async function people() {
  const answer = await tried(() => call("live/list-live-users", { liveId: live.liveId }));
  if (answer && live) audience(answer.users, answer.totalCount, answer.roomSeatCount);
}

function audience(users, total, seats) {
  count(total, seats);
  const faces = users.slice(0, 12).map((user) => {
    const one = face(user.id, user.displayName);
    one.title = user.displayName;
    if (user.id !== me.id) {
      one.tabIndex = 0;
      one.setAttribute("role", "button");
      one.onclick = () => onPerson(user);
      one.onkeydown = (key) => key.key === "Enter" && onPerson(user);
    }
    return one;
  });
  if (total > faces.length) faces.push(make("span", "more", `+${total - faces.length}`));
  $("audience").replaceChildren(...faces);
}

function count(now, seats) {
  $("room-count").textContent = seats >= 100000 ? `${now} 人在听` : `${now} / ${seats} 个座位`;
}

function tickets(total) {
  $("room-tickets").textContent = `${total} 黑票`;
}

// --- What is said and given -----------------------------------------------------------------------------------------

export async function say(text) {
  await call("msg/send-msg", { liveId: live.liveId, roomId: live.liveId, text });
}

export async function bullet(message) {
  const answer = await call("live/buy-bullet", { liveId: live.liveId, message });
  if (answer.gold !== undefined) onGold(answer.gold);
}

let liked = 0;
export async function like() {
  liked += 1;
  heart();
  await call("live/live-like", { liveId: live.liveId, type: liked === 1 ? 1 : liked === 2 ? 2 : 3 });
}

/** The same gift again within three seconds is a combo: one id, a counter that grows. */
async function give(gift) {
  const now = Date.now();
  if (combo.gift !== gift.id || now - combo.at > 3000) {
    combo = { gift: gift.id, uuid: crypto.randomUUID ? crypto.randomUUID() : String(Math.random()), amount: 0, at: now };
  }
  combo.amount += 1;
  combo.at = now;
  const params = { liveId: live.liveId, giftId: gift.id, amount: combo.amount, gift_uuid: combo.uuid.replace(/-/g, "") };
  const answer = await call("live/buy-gift", params);
  onGold(answer.gold);
}

export async function shelf() {
  const answer = await tried(() => call("live/gift-info"));
  if (!answer) return;
  $("gifts").replaceChildren(
    ...answer.gifts.slice(0, SHOWN_GIFTS * 2).map((gift) => {
      const picture = make("img");
      picture.src = new URL(gift.icon).pathname;
      picture.alt = "";
      picture.loading = "lazy";
      const one = button("", () => tried(() => give(gift)), "gift");
      one.append(picture, make("b", "", gift.name), make("small", "", `${gift.gold} 钻`));
      one.dataset.id = gift.id;
      return one;
    }),
  );
}

// --- What the socket tells ----------------------------------------------------------------------------------------------

export function take(msg, name) {
  if (!live || (msg.roomId !== live.liveId && msg.liveId !== live.liveId)) return;
  const tell = {
    text: () => (msg.giftId ? null : line(msg)),
    gift: () => gave(msg),
    barrage: () => fly(msg),
    like: () => liked_by(msg),
    system: () => note(msg.text),
    toast: () => toast(msg.text),
    "list-live-users": () => changed(msg),
    "stop-live": () => close("直播结束了"),
    "quit-live": () => close("你被请出了房间"),
    "pause-live": () => note(msg.text),
    "goon-live": () => note(msg.text),
    "live-change": () => ($("room-title").textContent = msg.title),
  }[name];
  if (tell) tell();
}

function changed(msg) {
  if (msg.users) audience(msg.users, msg.totalCount, msg.roomSeatCount);
  else people();
}

function write(item) {
  const talk = $("talk");
  const follows = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80;
  talk.append(item);
  while (talk.children.length > TALK_KEPT) talk.firstChild.remove();
  if (follows) talk.scrollTop = talk.scrollHeight;
  news("stage");
}

function line(msg, ...more) {
  const mine = msg.fromUserId === me.id;
  const body = make("div", "", make("small", "", mine ? "我" : msg.fromUserName), make("p", "", msg.text || "", ...more));
  write(make("li", mine ? "mine" : "", face(msg.fromUserId, msg.fromUserName), body));
}

function note(text) {
  write(make("li", "note", text));
}

function gave(msg) {
  tickets(msg.totalTicket);
  const times = msg.amount > 1 ? ` ×${msg.amount}` : "";
  const who = msg.fromUserId === me.id ? "我" : msg.fromUserName;
  write(make("li", "note given", `${who} 送了 `, make("b", "", `${msg.gift.name}${times}`)));
  const picture = make("img", "flying");
  picture.src = `/static/gifts/${msg.giftId}.png`;
  picture.alt = "";
  rise(picture, 2400);
}

function fly(msg) {
  tickets(msg.totalTicket);
  const lane = make("span", "bullet", make("b", "", msg.fromUserName), ` ${msg.text}`);
  lane.style.top = `${4 + Math.random() * 38}%`;
  $("sky").append(lane);
  setTimeout(() => lane.remove(), 7000);
  write(make("li", "note", `弹幕 · ${msg.fromUserName}：${msg.text}`));
}

function liked_by(msg) {
  if (msg.fromUserId !== me.id) heart();
  write(make("li", "note", `${msg.fromUserName} ${msg.text}`));
}

function heart() {
  rise(make("span", "heart", "❤"), 1800);
}

function rise(thing, lasts) {
  thing.style.left = `${58 + Math.random() * 34}%`;
  $("sky").append(thing);
  setTimeout(() => thing.remove(), lasts);
}
