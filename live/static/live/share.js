/* The share page: sound, and what people say while it goes on or as it was said. Plain JavaScript, no library but
   the player, which is loaded when somebody presses play and the browser cannot play HLS by itself. */
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const boot = JSON.parse($("boot").textContent);
  const BADGES = { live: "正在直播", waiting: "即将开始", replay: "精彩回放", ended: "直播已结束" };
  const MOST_LINES = 150;
  const HEART = "M12 20.6 4.3 13a5.1 5.1 0 0 1 7.2-7.2l.5.5.5-.5a5.1 5.1 0 0 1 7.2 7.2z";
  const COLOURS = ["#ff7aa8", "#ffd27a", "#b66cff", "#7ee0b8", "#ff9d6c"];
  const state = { ...boot };

  const text = (element, words) => {
    if (element.textContent !== words) element.textContent = words;
  };
  const make = (tag, name, words) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (words !== undefined) made.textContent = words;
    return made;
  };
  const picture = (address) => {
    const made = make("img");
    made.alt = "";
    made.src = address;
    made.addEventListener("error", () => made.remove());
    return made;
  };
  const heart = (colour) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    path.setAttribute("d", HEART);
    if (colour) path.setAttribute("fill", colour);
    svg.append(path);
    return svg;
  };
  const many = (number) => (number < 10000 ? String(number) : `${(number / 10000).toFixed(1).replace(".0", "")} 万`);
  const clock = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds));
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };
  document.querySelectorAll(".stage img").forEach((one) => {
    if (one.complete && !one.naturalWidth) one.remove();
    else one.addEventListener("error", () => one.remove());
  });

  /* --- What is said ------------------------------------------------------------------------------------------- */

  const lines = $("lines");
  let follows = true; // the reader is at the end
  const toEnd = () => {
    lines.scrollTop = lines.scrollHeight;
  };
  lines.addEventListener("scroll", () => {
    follows = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 60;
    if (follows) $("newer").hidden = true;
  });
  $("newer").addEventListener("click", toEnd);

  const hue = (name) => [...name].reduce((sum, sign) => sum + sign.codePointAt(0), 0) % 5;
  const face = (msg) => {
    const made = make("span", "face");
    made.dataset.initial = [...msg.fromUserName][0] || "";
    made.dataset.hue = hue(msg.fromUserName);
    if (msg.coverUrl) made.append(picture(msg.coverUrl));
    return made;
  };
  const line = (msg) => {
    if (msg.kind === "like") {
      const row = make("li", "small");
      const words = make("span");
      words.append(heart(), `${msg.fromUserName} ${msg.text}`);
      row.append(words);
      return row;
    }
    const row = make("li", msg.kind);
    const said = make("div", "said");
    const what = make("span", "what");
    if (msg.kind === "gift") {
      if (boot.icons[msg.gift.id]) what.append(picture(boot.icons[msg.gift.id]));
      what.append(`送出 ${msg.gift.name}`, make("b", "", `×${msg.amount}`));
    } else what.textContent = msg.text;
    said.append(make("span", "who", msg.fromUserName), what);
    row.append(face(msg), said);
    return row;
  };
  const notice = (words) => put(make("li", "small", words));
  const put = (row) => {
    $("empty").hidden = true;
    const last = lines.lastElementChild;
    if (row.dataset.key && last && last.dataset.key === row.dataset.key) last.remove(); // one line a combo
    lines.append(row);
    while (lines.children.length > MOST_LINES) lines.firstElementChild.remove();
    if (follows) toEnd();
    else $("newer").hidden = false;
  };
  const keyOf = (msg) => {
    if (msg.kind === "gift") return `gift ${msg.gift.id} ${msg.fromUserName}`;
    return msg.kind === "like" ? "like" : "";
  };
  const show = (msg, moves = true) => {
    const row = line(msg);
    row.dataset.key = keyOf(msg);
    put(row);
    if (!moves) return;
    if (msg.kind === "gift") cheer(msg);
    if (msg.kind === "barrage") fly(msg);
    if (msg.kind === "like") light();
  };

  /* --- What moves over the stage ------------------------------------------------------------------------------ */

  let lane = 0;
  const fly = (msg) => {
    const flying = make("span", "", `${msg.fromUserName}：${msg.text}`);
    flying.style.top = `${(lane++ % 3) * 32}px`;
    flying.addEventListener("animationend", () => flying.remove());
    $("flying").append(flying);
  };
  const light = () => {
    if ($("hearts").children.length > 15) return;
    const one = heart(COLOURS[Math.floor(Math.random() * COLOURS.length)]);
    one.style.setProperty("--drift", `${Math.round(Math.random() * 60 - 38)}px`);
    one.addEventListener("animationend", () => one.remove());
    $("hearts").append(one);
  };
  const cheers = new Map();
  const cheer = (msg) => {
    const key = keyOf(msg);
    let shown = cheers.get(key);
    if (shown) {
      clearTimeout(shown.timer);
      text(shown.count, `×${msg.amount}`);
      shown.count.classList.remove("bump");
      void shown.count.offsetWidth; // so that it moves again
      shown.count.classList.add("bump");
    } else {
      const card = make("div");
      const words = make("p", "", msg.fromUserName);
      words.append(make("small", "", `送出 ${msg.gift.name}`));
      const count = make("b", "", `×${msg.amount}`);
      if (boot.icons[msg.gift.id]) card.append(picture(boot.icons[msg.gift.id]));
      card.append(words, count);
      shown = { card, count };
      cheers.set(key, shown);
      if (cheers.size > 2) vanish(cheers.keys().next().value);
      $("gifts").append(card);
    }
    shown.timer = setTimeout(vanish, 3500, key);
  };
  const vanish = (key) => {
    const shown = cheers.get(key);
    cheers.delete(key);
    if (!shown) return;
    clearTimeout(shown.timer);
    shown.card.style.opacity = "0";
    setTimeout(() => shown.card.remove(), 400);
  };

  /* --- Sound -------------------------------------------------------------------------------------------------- */

  const audio = $("audio");
  const player = $("player");
  const stage = document.querySelector(".stage");
  const HLS = "application/vnd.apple.mpegurl";
  const isApple = /Apple/.test(navigator.vendor);
  const playsHls = audio.canPlayType(HLS) && (isApple || !window.MediaSource);
  let hls = null;
  let loaded = "";
  let wanted = false;
  let again = 0;
  const note = (words) => text($("note"), words);

  const script = (address) =>
    new Promise((resolve, reject) => {
      if (window.Hls) return resolve();
      const made = make("script");
      made.src = address;
      made.addEventListener("load", resolve);
      made.addEventListener("error", reject);
      document.head.append(made);
    });
  const release = () => {
    clearTimeout(again);
    if (hls) hls.destroy();
    hls = null;
    loaded = "";
  };
  const isPlaylist = (address) => /\.m3u8(\?|$)/.test(address);
  const load = async (address) => {
    if (loaded === address) return;
    release();
    loaded = address;
    if (!isPlaylist(address) || playsHls) {
      audio.preload = state.phase === "replay" ? "metadata" : "none";
      audio.src = address;
      return;
    }
    await script(boot.player);
    if (loaded !== address) return;
    hls = new window.Hls({ enableWorker: false, liveSyncDurationCount: 2, backBufferLength: 30 });
    hls.on(window.Hls.Events.ERROR, (_, error) => {
      if (error.fatal) failed();
    });
    hls.loadSource(address);
    hls.attachMedia(audio);
  };
  const want = (yes) => {
    wanted = yes;
    player.classList.toggle("wanted", yes);
    $("play").setAttribute("aria-pressed", String(yes));
    $("play").setAttribute("aria-label", yes ? "暂停" : "播放");
    if (!yes) sounding(false);
  };
  const sounding = (yes) => {
    stage.classList.toggle("sounding", yes);
    player.classList.toggle("sounding", yes);
  };
  const play = async () => {
    want(true);
    if (state.phase === "live") note(state.paused ? "主播离开一下，马上回来" : "正在接通…");
    try {
      await load(state.sound);
      if (hls && state.phase === "live" && hls.liveSyncPosition) audio.currentTime = hls.liveSyncPosition;
      await audio.play();
    } catch (error) {
      if (error.name === "NotAllowedError") want(false);
      else if (error.name !== "AbortError") failed();
    }
  };
  const stop = () => {
    want(false);
    audio.pause();
    if (state.phase === "live") release(); // what was missed meanwhile is over
    note("");
  };
  const failed = () => {
    sounding(false);
    if (!wanted) return;
    release();
    if (state.phase !== "live") {
      want(false);
      note("播放不了，请稍后再试");
      return;
    }
    note(state.paused ? "主播离开一下，马上回来" : "还没有声音，正在等主播…");
    again = setTimeout(play, 3000);
  };
  $("play").addEventListener("click", () => (wanted ? stop() : play()));
  audio.addEventListener("playing", () => {
    sounding(true);
    note("");
  });
  audio.addEventListener("pause", () => {
    if (loaded && !audio.ended) want(false); // by a headset, or a call that came in
  });
  audio.addEventListener("waiting", () => sounding(false));
  audio.addEventListener("error", () => {
    if (audio.getAttribute("src")) failed();
  });
  audio.addEventListener("ended", () => {
    if (state.phase === "live") failed();
    else want(false);
  });

  /* --- A replay: the track, and what was said at each second ---------------------------------------------------- */

  const seek = $("seek");
  let said = []; // all that was loaded, in order
  let parts = 0;
  let more = boot.spoken;
  let loading = null;
  let next = 0; // the first line that is not shown yet
  let shownAt = 0;

  const fetchLines = async () => {
    const answer = await fetch(`${boot.lines}&part=${parts}`);
    if (!answer.ok) throw new Error(answer.status);
    const found = await answer.json();
    said = said.concat(found.lines);
    more = found.more;
    parts += 1;
  };
  const until = async (second) => {
    while (more && (!said.length || said[said.length - 1].at < second + 30)) {
      loading = loading || fetchLines().finally(() => (loading = null));
      try {
        await loading;
      } catch {
        return; // the next tick asks again
      }
    }
  };
  const follow = async () => {
    if (state.phase !== "replay") return;
    track(audio.currentTime);
    // The sound may end before the last line was said: then its end shows them all.
    const at = audio.currentTime > audio.duration - 0.05 ? Infinity : audio.currentTime;
    await until(at);
    if (at < shownAt - 1 || at > shownAt + 8) {
      lines.replaceChildren();
      next = said.findIndex((one) => one.at > at);
      if (next < 0) next = said.length;
      said.slice(Math.max(0, next - 30), next).forEach((one) => show(one.msg, false));
      $("empty").hidden = next > 0;
    }
    while (next < said.length && said[next].at <= at) show(said[next++].msg);
    shownAt = at;
  };
  const track = (at) => {
    const whole = audio.duration;
    if (!Number.isFinite(whole) || !whole) return;
    seek.max = whole;
    if (!seek.matches(":active")) seek.value = at;
    seek.style.setProperty("--done", `${(100 * seek.value) / whole}%`);
    text($("now"), clock(at));
    text($("length"), clock(whole));
  };
  audio.addEventListener("timeupdate", follow);
  audio.addEventListener("seeked", follow);
  audio.addEventListener("loadedmetadata", () => track(0));
  seek.addEventListener("input", async () => {
    if (loaded !== state.sound) await load(state.sound);
    audio.currentTime = Number(seek.value);
    track(Number(seek.value));
  });

  /* --- What the live is now ------------------------------------------------------------------------------------- */

  const draw = () => {
    const { phase } = state;
    document.body.dataset.phase = phase;
    text($("badge"), BADGES[phase] || BADGES.ended);
    text($("title"), state.title);
    text($("online").firstElementChild, many(state.online));
    text($("total"), many(state.total));
    text($("heading"), phase === "replay" ? "当时的聊天" : "大家在聊");
    $("online").hidden = phase !== "live";
    player.hidden = !(phase === "live" || phase === "replay");
    $("track").hidden = phase !== "replay";
  };
  const become = (phase) => {
    const before = state.phase;
    state.phase = phase;
    if (before === phase) return;
    if (before === "live") {
      want(false);
      audio.pause();
      release();
      audio.removeAttribute("src");
      notice("直播结束了，谢谢你来");
      note("回放做好后，会出现在这里");
    }
    if (phase === "live") note("");
    if (phase === "replay") {
      note("回放做好了，点一下就能听");
      more = state.spoken;
      shownAt = Infinity; // so that the lines begin anew
      if (!isPlaylist(state.sound)) load(state.sound);
    }
  };
  const apply = (now) => {
    const { phase, ...rest } = now;
    Object.assign(state, rest);
    become(phase);
    draw();
    connect();
  };
  const refresh = async () => {
    try {
      const answer = await fetch(boot.state);
      if (answer.status === 404 || answer.status === 410) location.reload(); // which says why
      else if (answer.ok) apply(await answer.json());
    } catch {
      /* the network is away; the next time */
    }
  };
  const PAUSES = { live: 30, waiting: 5, ended: 5 };
  let looked = 0;
  let checks = 0; // after the end ever more rarely, and not for ever
  const tick = () => {
    if (state.phase === "live" && state.since) {
      $("clock").hidden = false;
      text($("clock"), clock(boot.now - state.since + performance.now() / 1000));
    } else $("clock").hidden = true;
    const pause = PAUSES[state.phase] * (state.phase === "ended" ? 1 + checks / 4 : 1);
    if (checks < 60 && !document.hidden && performance.now() - looked > pause * 1000) {
      looked = performance.now();
      if (state.phase === "ended") checks += 1;
      refresh();
    }
  };

  /* --- The guest's socket --------------------------------------------------------------------------------------- */

  let socket = null;
  let failures = 0;
  let dial = 0;
  const heard = {
    "stop-live": () => refresh().then(() => state.phase === "live" && apply({ ...state, phase: "ended" })),
    "pause-live": (msg) => pause(true, msg.text),
    "goon-live": (msg) => pause(false, msg.text),
    "live-change": (msg) => apply({ ...state, title: msg.title }),
    "list-live-users": ({ totalCount }) =>
      apply({ ...state, online: totalCount, total: Math.max(state.total, totalCount - 1) }), // the owner did not come
  };
  const pause = (paused, words) => {
    state.paused = paused;
    notice(words);
    if (wanted) note(paused ? words : "");
    if (wanted && !paused) play();
  };
  const connect = () => {
    const goesOn = state.phase === "live" || state.phase === "waiting";
    if (socket || dial || !goesOn) return;
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${boot.socket}`);
    socket.addEventListener("open", () => (failures = 0));
    socket.addEventListener("message", (event) => {
      JSON.parse(event.data).forEach(({ msg }) => (heard[msg.kind] || show)(msg));
    });
    socket.addEventListener("close", () => {
      socket = null;
      failures += 1;
      const seconds = Math.min(30, 2 ** failures) * (0.5 + Math.random() / 2);
      dial = setTimeout(() => {
        dial = 0;
        refresh();
      }, seconds * 1000);
    });
  };

  /* --- Into the app --------------------------------------------------------------------------------------------- */

  if (/MicroMessenger|QQ\//i.test(navigator.userAgent)) {
    document.querySelectorAll("[data-app]").forEach((link) =>
      link.addEventListener("click", (event) => {
        event.preventDefault(); // which these do not let out
        $("hint").hidden = false;
      }),
    );
    $("hint").addEventListener("click", () => ($("hint").hidden = true));
  }

  draw();
  connect();
  setInterval(tick, 1000);
  if (state.phase === "replay" && !isPlaylist(state.sound)) load(state.sound); // how long it is
})();
