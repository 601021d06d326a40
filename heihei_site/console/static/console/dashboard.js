// Looks again every few seconds and changes what has changed, in place: nothing blinks, nothing moves.
(() => {
  const board = document.getElementById("board");

  function takeParts(page) {
    const names = (root) => [...root.querySelectorAll("[data-part]")].map((part) => part.dataset.part).join();
    if (names(page) !== names(board)) {
      location.reload(); // there are other cards now: another role
      return;
    }
    for (const fresh of page.querySelectorAll("[data-part]")) {
      const part = board.querySelector(`[data-part="${fresh.dataset.part}"]`);
      if (part.outerHTML !== fresh.outerHTML) part.replaceWith(fresh);
    }
  }

  function takeCharts(page) {
    for (const fresh of page.querySelectorAll("[data-chart]")) {
      const shown = board.querySelector(`[data-chart="${fresh.dataset.chart}"]`);
      const [before, after] = [shown, fresh].map((each) => each.querySelector("canvas"));
      shown.toggleAttribute("data-empty", fresh.hasAttribute("data-empty"));
      if (before.dataset.value === after.dataset.value) continue;
      before.dataset.value = after.dataset.value;
      const { labels, datasets } = JSON.parse(after.dataset.value);
      const chart = Chart.getChart(before);
      chart.data.labels = labels;
      chart.data.datasets[0].data = datasets[0].data;
      chart.update("none");
    }
  }

  async function look() {
    if (document.hidden) return;
    let answer;
    try {
      answer = await fetch(board.dataset.address, { redirect: "manual", cache: "no-store" });
    } catch {
      board.dataset.away = "";
      return;
    }
    if (answer.type === "opaqueredirect") {
      location.reload(); // signed out
      return;
    }
    board.toggleAttribute("data-away", !answer.ok);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    takeParts(page);
    takeCharts(page);
  }

  setInterval(look, board.dataset.seconds * 1000);
  document.addEventListener("visibilitychange", look);
})();
