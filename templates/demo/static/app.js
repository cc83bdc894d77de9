"use strict";
(() => {
  const body = document.body;
  const me = body.dataset.user;
  const channel = body.dataset.channel;
  const byId = (id) => document.getElementById(id);
  const query = (more = {}) => new URLSearchParams({ as: me, channel, ...more }).toString();
  let threadTs = "";

  async function post(name, deed) {
    try {
      const answer = await fetch(`/ui/${name}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ user: me, channel, ...deed }),
      });
      const said = await answer.json();
      if (said.problem) toast(said.problem);
      return said;
    } catch (error) {
      toast("The workspace does not answer. Is `tocsin demo` still running?");
      return {};
    }
  }

  let toastTimer = 0;
  function toast(text) {
    const box = byId("toast");
    box.textContent = text;
    box.hidden = false;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => { box.hidden = true; }, 6000);
  }

  /* Times: the server sends ISO moments and Slack's date pattern, the reader's own zone decides. */
  const date = (moment, options) => moment.toLocaleDateString(undefined, options);
  const time = (moment, options) => moment.toLocaleTimeString(undefined, options);
  const parts = {
    date_num: (m) => m.toISOString().slice(0, 10),
    date: (m) => date(m, { dateStyle: "long" }),
    date_short: (m) => date(m, { dateStyle: "medium" }),
    date_long: (m) => date(m, { dateStyle: "full" }),
    time: (m) => time(m, { hour: "2-digit", minute: "2-digit" }),
    time_secs: (m) => time(m, { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    ago: (m) => ago((m - Date.now()) / 1000),
  };
  function ago(seconds) {
    const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
    const steps = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
    const [size, unit] = steps.find(([step]) => Math.abs(seconds) >= step) || steps[3];
    return words.format(Math.round(seconds / size), unit);
  }
  function relativeDay(moment, name) {
    const days = Math.round((new Date(moment).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 86400000);
    const near = { 0: "today", 1: "tomorrow", [-1]: "yesterday" }[days];
    return near || parts[name](moment);
  }
  function localTimes(root) {
    for (const tag of root.querySelectorAll("time[data-format]")) {
      const moment = new Date(tag.dateTime);
      tag.textContent = tag.dataset.format.replace(/\{(\w+?)(_pretty)?\}/g, (all, name, pretty) =>
        parts[name] ? (pretty ? relativeDay(moment, name) : parts[name](moment)) : all);
      tag.title = moment.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
    }
  }
  function countdown() {
    for (const tag of document.querySelectorAll("[data-until]")) {
      tag.textContent = ago((new Date(tag.dataset.until) - Date.now()) / 1000);
    }
  }

  /* What stands in the inputs of a view or message: block id -> action id -> value. */
  const inputs = "select[data-action-id], input[data-action-id], textarea[data-action-id], .choices[data-action-id]";
  function valueOf(field) {
    if (field.classList.contains("choices")) {
      const all = [...field.querySelectorAll("input:checked")].map((box) => box.value);
      return field.dataset.kind === "radio_buttons" ? all[0] || null : all;
    }
    return field.multiple ? [...field.selectedOptions].map((option) => option.value) : field.value || null;
  }
  function answersIn(root) {
    const answers = {};
    for (const field of root ? root.querySelectorAll(inputs) : []) {
      (answers[field.dataset.inBlock] ||= {})[field.dataset.actionId] = valueOf(field);
    }
    return answers;
  }
  function giveBack(root, answers) {
    for (const field of root.querySelectorAll(inputs)) {
      const value = (answers[field.dataset.inBlock] || {})[field.dataset.actionId];
      if (value === undefined) continue;
      if (field.classList.contains("choices")) {
        for (const box of field.querySelectorAll("input")) box.checked = [value].flat().includes(box.value);
      } else if (!field.multiple) {
        field.value = value || "";
      }
    }
  }

  async function fragment(name, more) {
    const answer = await fetch(`/ui/${name}?${query(more)}`);
    return answer.text();
  }
  const toEnd = (box) => { if (box) box.scrollTop = box.scrollHeight; };
  const nearEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 160;

  const lastTs = (box) => (box.lastElementChild ? box.lastElementChild.dataset.ts : "");

  async function refreshMessages() {
    const box = byId("messages");
    if (!box) return;
    const follow = nearEnd(box);
    const newest = lastTs(box);
    const html = await fragment("messages");
    if (box.querySelector("details[open]")) box.querySelector("details[open]").open = false;
    box.innerHTML = html;
    localTimes(box);
    if (follow) toEnd(box);
    else if (lastTs(box) !== newest) byId("to-end").hidden = false;
  }
  async function refreshThread() {
    if (!threadTs) return;
    const draft = byId("thread-composer") ? byId("thread-composer").value : "";
    byId("thread").innerHTML = await fragment("thread", { ts: threadTs });
    byId("thread").hidden = false;
    byId("thread-composer").value = draft;
    localTimes(byId("thread"));
    toEnd(byId("thread-messages"));
  }
  function closeThread() {
    threadTs = "";
    byId("thread").hidden = true;
    byId("thread").replaceChildren();
    body.classList.remove("threaded");
  }
  async function refreshModal() {
    const root = byId("modal-root");
    const before = root.querySelector("[role=dialog]");
    const kept = before ? { id: before.dataset.viewId, answers: answersIn(before) } : null;
    root.innerHTML = await fragment("modal");
    const now = root.querySelector("[role=dialog]");
    if (!now) return;
    localTimes(now);
    if (kept && kept.id === now.dataset.viewId) giveBack(now, kept.answers);
    const first = now.querySelector(".modal-body input, .modal-body textarea, .modal-body select");
    (first || now.querySelector("button")).focus();
  }
  async function refreshHome() {
    const box = byId("home");
    if (!box) return;
    box.innerHTML = await fragment("home");
    localTimes(box);
  }
  async function refreshDetection() {
    if (!byId("detection-clock")) return;
    byId("detection-clock").innerHTML = await fragment("detection");
    localTimes(byId("detection-clock"));
    countdown();
  }

  /* Several changes within a moment make one refresh. */
  const waiting = new Map();
  function soon(name, work) {
    if (waiting.has(name)) return;
    waiting.set(name, setTimeout(() => { waiting.delete(name); work(); }, 40));
  }

  function listen() {
    const source = new EventSource(`/ui/stream?as=${me}`);
    source.onmessage = (event) => {
      const change = JSON.parse(event.data);
      if (change.kind === "ready") everything();
      if (change.kind === "view") soon("modal", refreshModal);
      if (change.kind === "home") soon("home", refreshHome);
      if (change.kind !== "message") return;
      if (change.channel === channel) {
        soon("messages", refreshMessages);
        if (threadTs && [change.ts, change.thread_ts].includes(threadTs)) soon("thread", refreshThread);
        soon("detection", refreshDetection);
      }
      if (change.channel !== channel || !byId("messages")) {
        const link = document.querySelector(`.side a[data-channel="${change.channel}"] .unread`);
        if (link) link.hidden = false;
      }
    };
  }
  function everything() {
    refreshMessages(); refreshThread(); refreshModal(); refreshHome(); refreshDetection();
  }

  function ask(data) {
    if (!data.confirmTitle) return Promise.resolve(true);
    return new Promise((answer) => {
      const veil = document.createElement("div");
      veil.className = "veil";
      const box = document.createElement("div");
      box.className = "modal confirm";
      box.setAttribute("role", "dialog");
      box.setAttribute("aria-modal", "true");
      const title = document.createElement("h2");
      title.textContent = data.confirmTitle;
      const text = document.createElement("p");
      text.textContent = data.confirmText;
      const foot = document.createElement("footer");
      const done = (yes) => { veil.remove(); answer(yes); };
      const button = (label, look, yes) => {
        const made = document.createElement("button");
        made.type = "button";
        made.className = `button ${look}`;
        made.textContent = label;
        made.onclick = () => done(yes);
        return made;
      };
      const yes = button(data.confirmYes, data.confirmStyle === "danger" ? "danger" : "primary", true);
      foot.append(button(data.confirmNo, "", false), yes);
      veil.onkeydown = (event) => { if (event.key === "Escape") { event.stopPropagation(); done(false); } };
      box.append(title, text, foot);
      veil.append(box);
      body.append(veil);
      yes.focus();
    });
  }

  function placeOf(target) {
    const view = target.closest("[data-view-id]");
    const message = target.closest("[data-ts]");
    const root = view || message;
    return { view_id: view ? view.dataset.viewId : "", ts: message ? message.dataset.ts : "", answers: answersIn(root) };
  }
  async function act(target, chosen) {
    if (!(await ask(target.dataset))) return;
    const menu = target.closest("details");
    if (menu) menu.open = false;
    target.classList.add("busy");
    const { actionId, inBlock } = target.dataset;
    await post("click", { ...placeOf(target), action_id: actionId, block_id: inBlock, chosen });
    target.classList.remove("busy");
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-action-id], [data-thread], [data-close-thread], [data-close-modal]");
    for (const menu of document.querySelectorAll("details.overflow[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    if (!target) return;
    if (target.dataset.thread) {
      threadTs = target.dataset.thread;
      body.classList.add("threaded");
      refreshThread();
    } else if (target.dataset.closeThread !== undefined) {
      closeThread();
    } else if (target.dataset.closeModal !== undefined) {
      closeModal();
    } else if (["button", "overflow"].includes(target.dataset.kind)) {
      act(target, target.dataset.chosen || null);
    }
  });
  document.addEventListener("change", (event) => {
    const field = event.target.closest(inputs);
    if (field && !field.closest(".input")) act(field, valueOf(field));
  });

  async function closeModal() {
    const open = document.querySelector("form.modal");
    if (!open) return;
    await post("close", { view_id: open.dataset.viewId });
    refreshModal();
  }
  async function submitModal(form) {
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    const said = await post("submit", { view_id: form.dataset.viewId, answers: answersIn(form) });
    button.disabled = false;
    const errors = said.errors || {};
    for (const line of form.querySelectorAll("[data-error-for]")) line.textContent = errors[line.dataset.errorFor] || "";
    if (!Object.keys(errors).length && !said.problem) refreshModal();
  }
  async function send(form) {
    const field = form.querySelector("textarea");
    const text = field.value;
    if (!text.trim()) return;
    field.value = "";
    grow(field);
    await post("send", { text, thread_ts: form.dataset.threadTs || "" });
    soon("messages", async () => { await refreshMessages(); if (!form.dataset.threadTs) toEnd(byId("messages")); });
    field.focus();
  }
  document.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.target.matches(".modal")) submitModal(event.target);
    if (event.target.matches(".composer")) send(event.target);
  });
  function grow(field) {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 180)}px`;
  }
  document.addEventListener("input", (event) => { if (event.target.matches(".composer textarea")) grow(event.target); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.matches(".composer textarea")) {
      event.preventDefault();
      event.target.form.requestSubmit();
    }
    if (event.key === "Escape") {
      if (document.querySelector("form.modal")) closeModal();
      else if (threadTs) closeThread();
      body.classList.remove("drawer", "sheet");
    }
  });

  byId("acting-person").addEventListener("change", (event) => {
    const tab = body.dataset.tab === "home" ? { tab: "home" } : {};
    // A direct conversation belongs to one person.
    const where = channel.startsWith("D") ? "C0SECOPS" : channel;
    location.search = new URLSearchParams({ channel: where, as: event.target.value, ...tab }).toString();
  });
  const toggle = (button, name) => button && button.addEventListener("click", () => {
    button.setAttribute("aria-expanded", String(body.classList.toggle(name)));
  });
  toggle(byId("menu"), "drawer");
  toggle(byId("show-detection"), "sheet");
  if (byId("hide-detection")) byId("hide-detection").addEventListener("click", () => body.classList.remove("sheet"));
  document.querySelector("main").addEventListener("click", (event) => {
    if (!event.target.closest("#menu")) body.classList.remove("drawer");
    if (!event.target.closest("#show-detection")) body.classList.remove("sheet");
  });
  for (const name of ["run-now", "simulate"]) {
    const button = byId(name);
    if (!button) continue;
    button.addEventListener("click", async () => {
      button.disabled = true;
      const said = await post(name, {});
      byId("detection-said").textContent = said.note || "";
      button.disabled = false;
      refreshDetection();
    });
  }

  if (byId("messages")) {
    byId("to-end").addEventListener("click", () => toEnd(byId("messages")));
    byId("messages").addEventListener("scroll", () => { if (nearEnd(byId("messages"))) byId("to-end").hidden = true; });
  }

  localTimes(document);
  countdown();
  setInterval(countdown, 1000);
  if (byId("detection-clock")) setInterval(refreshDetection, 5000);
  toEnd(byId("messages"));
  listen();
  if (body.dataset.tab === "home") post("open-home", {});
})();
