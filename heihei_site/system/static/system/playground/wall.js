// The wall on which everything that passes is written: newest at the bottom, a click opens it.

import { listen } from "./line.js";

const MOST = 400;
const list = document.querySelector("#frames");
const chosen = { socket: document.querySelector("#show-socket"), http: document.querySelector("#show-http") };

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function time() {
  const now = new Date();
  return now.toTimeString().slice(0, 8) + "." + String(now.getMilliseconds()).padStart(3, "0");
}

/** What of a message a person wants to see in one line. */
function gist(event) {
  const body = event.body;
  if (!body) return "";
  if (event.by === "http") {
    if (event.way === "down") return `${body.errorcode} ${body.errormsg}`;
    return Object.entries(body).map(([name, value]) => `${name}=${value}`).join(" ");
  }
  const msg = body.msg || {};
  const number = body.seq !== undefined ? `seq ${body.seq}` : body.roomSeq !== undefined ? `roomSeq ${body.roomSeq}` : "";
  const said = typeof msg.text === "string" ? msg.text : (msg.content && msg.content.text) || (msg.gift && msg.gift.name) || "";
  const count = msg.totalCount !== undefined ? `${msg.totalCount}/${msg.roomSeatCount}` : "";
  return [number, msg.fromUserName, said, count].filter(Boolean).join(" · ");
}

function row(event) {
  const line = element("li", `${event.way} ${event.by}${event.bad ? " bad" : ""}`);
  const head = element("button", "head");
  head.type = "button";
  head.append(
    element("time", "", time()),
    element("span", "arrow", event.way === "up" ? "↑" : "↓"),
    element("b", "", event.name),
    element("span", "gist", gist(event)),
    element("small", "", event.took !== undefined ? `${event.took} ms` : event.size ? `${event.size} B` : ""),
  );
  line.append(head);
  if (event.body) {
    head.setAttribute("aria-expanded", "false");
    head.onclick = () => {
      const open = line.querySelector("pre");
      if (open) open.remove();
      else line.append(element("pre", "", JSON.stringify(event.body, null, 2)));
      head.setAttribute("aria-expanded", String(!open));
      line.scrollIntoView({ block: "nearest" });
    };
  }
  return line;
}

let waiting = [];
listen((event) => {
  if (!waiting.length) requestAnimationFrame(write);
  waiting.push(row(event));
});

function write() {
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.querySelector(".nothing")?.remove();
  list.append(...waiting);
  waiting = [];
  while (list.children.length > MOST) list.firstChild.remove();
  if (follows) list.scrollTop = list.scrollHeight;
}

function choose() {
  for (const [kind, box] of Object.entries(chosen)) list.classList.toggle(`no-${kind}`, !box.checked);
  list.scrollTop = list.scrollHeight;
}
for (const box of Object.values(chosen)) box.onchange = choose;
document.querySelector("#clear").onclick = () => list.replaceChildren();
