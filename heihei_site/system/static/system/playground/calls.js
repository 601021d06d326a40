// A call of two people: ringing, answering, talking, hanging up. And what they write to each other.

import { call, me, send } from "./line.js";
import { $, face, make, show, toast, tried } from "./parts.js";

const ROSE = 103;
const OVER = 4; // of a call in chat-user-status
let chat = null; // the call we are in, or wait for
let ringing = null; // who calls us
let beat = 0;
let clock = 0;
let patience = 0;
let onGold = () => {};

export const talking = () => chat !== null;

export function prepare({ gold }) {
  onGold = gold;
}

export async function ring(person) {
  const answer = await call("chat/due-chat", { userId: person.id });
  chat = { id: answer.chatId, partner: person };
  draw(`正在呼叫 ${person.displayName}…`, [{ ...person, status: 0 }]);
  patience = setTimeout(() => stop(`${person.displayName} 没有接`), answer.expireTime * 1000 + 1500);
}

export function take(msg, name) {
  const tell = {
    "due-chat-notify": () => offered(msg),
    "cancel-due-chat": () => cancelled(msg),
    "join-chat": () => tried(() => join(msg.chatId)),
    "chat-user-status": () => changed(msg),
    "chat-topic": () => chat && chat.id === msg.chatId && ($("topic").textContent = msg.text),
    gift: () => chat && chat.id === msg.roomId && toast(`${msg.fromUserName} 送了${msg.gift.name}`),
    "IM/text": () => letter(msg),
    expired: () => ringing && ringing.chatId === msg.chatId && quiet(),
  }[name];
  if (tell) tell();
}

function offered(msg) {
  ringing = msg;
  $("ring-face").replaceWith(Object.assign(face(msg.fromUserId, msg.fromUserName, true), { id: "ring-face" }));
  $("ring-name").textContent = msg.fromUserName;
  $("ring-text").textContent = msg.type === 1 ? "回拨给你" : "来电话了";
  if (!$("ring").open) $("ring").showModal();
  clearTimeout(patience);
  patience = setTimeout(quiet, msg.expireTime * 1000);
}

function quiet() {
  ringing = null;
  clearTimeout(patience);
  if ($("ring").open) $("ring").close();
}

$("accept").onclick = () =>
  tried(async () => {
    const { chatId, fromUserId, type } = ringing;
    quiet();
    await call("chat/accept-chat", { chatId, userId: fromUserId, type });
  });
$("refuse").onclick = () =>
  tried(async () => {
    const { chatId } = ringing;
    quiet();
    await call("chat/cancel-due-chat", { chatId });
  });
$("ring").oncancel = (event) => event.preventDefault();

function cancelled(msg) {
  if (ringing && ringing.chatId === msg.chatId) quiet();
  if (chat && chat.id === msg.chatId) stop(msg.comment || "对方取消了");
}

async function join(chatId) {
  quiet();
  const answer = await call("chat/join-chat", { chatId });
  chat = { id: chatId, began: Date.now() };
  draw(answer.chat.initTopic, answer.chat.users);
  clearInterval(beat);
  clearInterval(clock);
  const stay = () => tried(() => call("chat/heart-beat", { chatId }));
  beat = setInterval(stay, 5000);
  stay(); // from the first one on we are there
  clock = setInterval(tick, 500);
}

function tick() {
  if (!chat || !chat.began) return;
  const seconds = Math.floor((Date.now() - chat.began) / 1000);
  const two = (number) => String(number).padStart(2, "0");
  $("clock").textContent = `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}

const HOW = ["正在进来", "在说话", "离开一下", "线路不稳", "挂断了"]; // by the status of a side

function draw(topic, sides) {
  $("topic").textContent = topic;
  $("clock").textContent = "00:00";
  people(sides);
  $("call").hidden = false;
  document.body.classList.add("in-call");
  show("stage");
}

function people(sides) {
  const all = sides.some((side) => side.id === me.id) ? sides : [{ ...me, status: 1 }, ...sides];
  $("two").replaceChildren(
    ...all.map((side) =>
      make(
        "figure",
        side.status === 1 ? "there" : "",
        face(side.id, side.displayName, true),
        make("figcaption", "", side.id === me.id ? "我" : side.displayName, make("small", "", HOW[side.status] || "")),
      ),
    ),
  );
}

function changed(msg) {
  if (!chat || chat.id !== msg.chatId) return;
  if (msg.status === OVER) stop("通话结束了");
  else people(msg.users);
}

export function stop(why) {
  chat = null;
  clearInterval(beat);
  clearInterval(clock);
  clearTimeout(patience);
  $("call").hidden = true;
  document.body.classList.remove("in-call");
  if (!document.body.classList.contains("in-room")) show("home");
  if (why) toast(why);
}

$("hang-up").onclick = () =>
  tried(async () => {
    const { id, began } = chat;
    stop("挂断了");
    await call(began ? "chat/stop-chat" : "chat/cancel-due-chat", { chatId: id });
  });
$("another").onclick = () => tried(() => call("chat/change-topic", { chatId: chat.id }));
$("call-gift").onclick = () =>
  tried(async () => {
    const uuid = String(Math.random()).slice(2);
    const answer = await call("chat/buy-gift", { chatId: chat.id, giftId: ROSE, amount: 1, gift_uuid: uuid });
    onGold(answer.gold);
  });

// --- Letters --------------------------------------------------------------------------------------------------------

const letters = new Map(); // lines by person
let reading = null;

export function writeTo(person) {
  reading = person;
  $("letter-name").textContent = person.displayName;
  page();
  $("letter").showModal();
}

function letter(msg) {
  const other = msg.fromUserId === me.id ? msg.toUserId : msg.fromUserId;
  if (!letters.has(other)) letters.set(other, []);
  letters.get(other).push(msg);
  if (reading && reading.id === other && $("letter").open) page();
  else if (msg.fromUserId !== me.id) toast(`收到一封私信：${msg.content.text}`);
}

function page() {
  const lines = letters.get(reading.id) || [];
  $("letters").replaceChildren(
    ...lines.map((msg) => {
      const mine = msg.fromUserId === me.id;
      const name = mine ? me.displayName : reading.displayName;
      return make("li", mine ? "mine" : "", face(msg.fromUserId, name), make("div", "", make("p", "", msg.content.text)));
    }),
  );
  $("letters").scrollTop = $("letters").scrollHeight;
}

$("letter-close").onclick = () => $("letter").close();
$("write").onsubmit = (event) => {
  event.preventDefault();
  const text = $("letter-text").value.trim();
  if (!text) return;
  const clientMsgId = `${Date.now()}-${Math.random()}`;
  const sent = send({ msgType: "IM", msg: { toUserId: reading.id, msgType: "text", content: { text }, clientMsgId } });
  if (sent) $("letter-text").value = "";
  else toast("线断了，等一下");
};
