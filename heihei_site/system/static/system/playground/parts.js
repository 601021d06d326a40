// Small pieces of the page that everything else is built of.

export const $ = (id) => document.getElementById(id);

export function make(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

export function button(text, act, className = "") {
  const made = make("button", className, text);
  made.type = "button";
  made.onclick = act;
  return made;
}

/** A person's round picture: the first letter of the name, in a colour that follows from the id. */
export function face(id, name, big = false) {
  const made = make("span", big ? "face big" : "face", [...(name || "?")][0]);
  made.style.setProperty("--hue", (Number(id) * 47) % 360);
  return made;
}

let hide = 0;
export function toast(text) {
  const shown = $("toast");
  shown.textContent = text;
  shown.classList.add("up");
  clearTimeout(hide);
  hide = setTimeout(() => shown.classList.remove("up"), 2600);
}

/** Runs a deed; what it is refused with is shown as a phone would show it. */
export async function tried(deed) {
  try {
    return await deed();
  } catch (error) {
    toast(error.message || "网络不通");
    return null;
  }
}

/** On a phone one part of the page is seen at a time. */
export function show(view) {
  document.body.dataset.view = view;
  for (const tab of document.querySelectorAll("#tabs button")) {
    tab.setAttribute("aria-current", String(tab.dataset.to === view));
    if (tab.dataset.to === view) tab.classList.remove("news");
  }
}

export function news(view) {
  if (document.body.dataset.view !== view) {
    document.querySelector(`#tabs [data-to=${view}]`).classList.add("news");
  }
}
