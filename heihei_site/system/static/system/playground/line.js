// How this tab talks with the server: calls over HTTP, the socket that resumes where it was cut, and who listens to both.

const VERSION = "2.0.0";
const listeners = [];
const kept = sessionStorage;

export const me = JSON.parse(kept.getItem("me") || "{}");

export function remember(more) {
  Object.assign(me, more);
  kept.setItem("me", JSON.stringify(me));
}

export function forget() {
  for (const name of Object.keys(me)) delete me[name];
  kept.removeItem("me");
}

/** Calls `listener(event)` with {way: "up"|"down", by: "http"|"socket", name, body, took, bad} of everything that passes. */
export function listen(listener) {
  listeners.push(listener);
}

function pass(event) {
  for (const listener of listeners) listener(event);
}

export class Refused extends Error {
  constructor(answer) {
    super(answer.errormsg);
    this.code = answer.errorcode;
    this.answer = answer;
  }
}

/** The answer of an endpoint; throws Refused where the errorcode is not 0. `unseen`: what is asked every few seconds. */
export async function call(path, params = {}, unseen = false) {
  if (!unseen) pass({ way: "up", by: "http", name: path, body: params });
  const began = performance.now();
  const body = new URLSearchParams(me.token ? { token: me.token, ...params } : params);
  const response = await fetch(`/api/${path}`, { method: "POST", body, headers: { version: VERSION } });
  const answer = await response.json();
  const took = Math.round(performance.now() - began);
  const bad = answer.errorcode !== 0;
  if (!unseen || bad) pass({ way: "down", by: "http", name: path, body: answer, took, bad });
  if (bad) throw new Refused(answer);
  return answer;
}

// --- The socket ---------------------------------------------------------------------------------------------------

let socket = null;
let pause = 0.3;
let later = 0;
let state = () => {};
let heard = () => {};
const rooms = new Map(); // roomSeq by room

export function follow(roomId) {
  rooms.clear();
  if (roomId) rooms.set(roomId, 0);
}

/** `onMessage(msg, element)` for each element in order; `onState("on"|"off"|"wait"|"ended")`. */
export function connect(onMessage, onState) {
  heard = onMessage;
  state = onState;
  dial();
}

function dial() {
  clearTimeout(later);
  const query = new URLSearchParams({ token: me.token });
  if (me.seq !== undefined) query.set("since", me.seq);
  for (const [room, seq] of rooms) if (seq) query.append("room", `${room}:${seq}`);
  const shown = new URLSearchParams(query);
  shown.set("token", `${me.token.slice(0, 6)}…`);
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const mine = (socket = new WebSocket(`${scheme}://${location.host}/ws/channel?${query}`));
  pass({ way: "up", by: "socket", name: `connect ?${decodeURIComponent(shown)}`, body: null });
  state("wait");
  mine.onopen = () => {
    pause = 0.3;
    state("on");
  };
  mine.onmessage = (frame) => {
    if (socket === mine) read(JSON.parse(frame.data), frame.data.length);
  };
  mine.onclose = (close) => {
    if (socket !== mine) return;
    pass({ way: "down", by: "socket", name: `close ${close.code}`, body: null, bad: true });
    socket = null;
    if (close.code === 4401) return state("ended");
    state("off");
    pause = Math.min(pause * 2, 10);
    later = setTimeout(dial, pause * 1000 * (0.5 + Math.random()));
  };
}

function read(elements, bytes) {
  for (const element of elements) {
    const msg = element.msg;
    if (element.seq !== undefined) remember({ seq: element.seq });
    if (msg.action === "resync") remember({ seq: msg.seq });
    if (element.roomSeq !== undefined && rooms.has(msg.roomId)) rooms.set(msg.roomId, element.roomSeq);
    const name = msg.msgType === "action" ? msg.action : element.msgType ? `IM/${msg.msgType}` : msg.msgType;
    pass({ way: "down", by: "socket", name, body: element, size: bytes, together: elements.length });
    heard(msg, element, name);
  }
}

/** One element; false where there is no connection now. */
export function send(element) {
  if (!socket || socket.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify([element]));
  pass({ way: "up", by: "socket", name: `${element.msgType}/${element.msg.msgType}`, body: element });
  return true;
}

/** The line is cut, and comes back with what was missed. */
export function cut(seconds) {
  const old = socket;
  socket = null;
  if (old) old.close();
  clearTimeout(later);
  state("off");
  pass({ way: "up", by: "socket", name: `拔线 ${seconds} 秒`, body: null, bad: true });
  later = setTimeout(dial, seconds * 1000);
}

export function hangUp() {
  clearTimeout(later);
  const old = socket;
  socket = null;
  if (old) old.close();
  state("off");
}
