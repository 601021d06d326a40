// One click or key a record: what is sent is the list's own action, about that record alone.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const verdicts = [...document.querySelectorAll(".verdict")];
  const rows = verdicts.map((verdict) => verdict.closest("tr"));
  let chosen = 0;

  function send(verdict, said) {
    const form = document.createElement("form");
    form.method = "post";
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const fields = { csrfmiddlewaretoken: token, _selected_action: verdict.dataset.record, ...said };
    for (const [name, value] of Object.entries(fields)) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      form.append(field);
    }
    document.body.append(form);
    form.submit();
  }

  const publish = (verdict) => send(verdict, { action: "publish" });
  const reject = (verdict, reason) => send(verdict, { action: "reject", answered: "yes", reason });

  for (const verdict of verdicts) {
    verdict.querySelector("button")?.addEventListener("click", () => publish(verdict));
    verdict.querySelector("select")?.addEventListener("change", (event) => reject(verdict, event.target.value));
  }

  function choose(number) {
    rows[chosen]?.classList.remove("chosen");
    rows[chosen]?.querySelector("audio")?.pause();
    chosen = Math.max(0, Math.min(number, rows.length - 1));
    rows[chosen].classList.add("chosen");
    rows[chosen].scrollIntoView({ block: "nearest" });
  }

  function play() {
    const sound = rows[chosen].querySelector("audio");
    if (sound) sound.paused ? sound.play() : sound.pause();
  }

  const keys = {
    j: () => choose(chosen + 1),
    k: () => choose(chosen - 1),
    " ": play,
    p: () => verdicts[chosen].querySelector("button")?.click(),
  };

  if (!rows.length) return;
  choose(0);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input, select, textarea, button, a, audio")) return;
    const reason = verdicts[chosen].querySelector("select")?.options[Number(event.key)];
    if (keys[event.key]) keys[event.key]();
    else if (/^[1-9]$/.test(event.key) && reason) reject(verdicts[chosen], reason.value);
    else return;
    event.preventDefault();
  });
});
