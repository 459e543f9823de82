// The flow viewer's comfort: everything can be read without this file. It stands before app.js, whose `localTime` rewrites
// times: what the server wrote is kept here first, to see later what has changed.
"use strict";

const parts = (root) => [...root.querySelectorAll("[data-part]")];
const written = new Map();

// Times to the millisecond, in the visitor's own time.
function clock(time) {
  const at = new Date(time.dateTime);
  time.title = time.dateTime;
  time.textContent = `${at.toLocaleTimeString("en-GB")}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

// A message is copied without the line breaks that are only there to be read.
function copyButton(button) {
  const source = document.getElementById(button.dataset.copy);
  button.addEventListener("click", async () => {
    const lines = [...source.querySelectorAll(".wire")];
    const text = lines.map((line, at) => (at && !line.matches(".joined") ? "\n" : "") + line.textContent).join("");
    await navigator.clipboard.writeText(text || source.textContent);
    button.dataset.done = "";
    setTimeout(() => delete button.dataset.done, 1500);
  });
  button.hidden = !navigator.clipboard;
}

function prepare(root) {
  root.querySelectorAll("[data-clock]").forEach(clock);
  root.querySelectorAll("[data-copy]").forEach(copyButton);
}

// Arrow keys go from place to place, Enter opens the detail, Esc leads back to the diagram.
function entries() {
  return [...document.querySelectorAll(".entry > a")];
}

function shown() {
  const target = document.querySelector(".detail:target, .detail:has(:target)");
  return target ?? document.querySelector(".detail.current");
}

function linkTo(detail) {
  return entries().find((link) => link.hash === `#${detail?.id}`);
}

function onKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest("input, textarea, select, [popover]")) return;
  const link = event.target.closest(".entry > a");
  const step = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
  // Up and down scroll a pane that has the focus; left and right, and both on the diagram, go from place to place.
  if (step && (link || event.key === "ArrowLeft" || event.key === "ArrowRight")) {
    if (event.target.closest(".scroll")) return;
    const all = entries();
    const next = all[all.indexOf(link ?? linkTo(shown())) + step];
    if (!next) return;
    event.preventDefault();
    location.replace(next.hash);
    if (link) next.focus();
  } else if (event.key === "Enter" && link) {
    event.preventDefault();
    location.hash = link.hash;
    shown()?.focus({ preventScroll: true });
  } else if (event.key === "Escape" && !document.querySelector(":popover-open")) {
    const menu = document.querySelector(".menu[open]");
    if (menu) menu.open = false;
    else linkTo(shown())?.focus();
  }
}

// What has changed is put in the place of what was there. Focus, scroll positions and what was unfolded stay.
function update(fresh) {
  const scrolled = [...document.querySelectorAll(".pane")].map((pane) => [pane, pane.scrollTop]);
  const selected = document.getSelection();
  const opened = [...document.querySelectorAll("details[open] > summary")].map(trail);
  const focused = document.activeElement === document.body ? null : trail(document.activeElement);
  for (const part of parts(fresh)) {
    const name = part.dataset.part;
    const html = part.innerHTML;
    const old = document.querySelector(`[data-part="${CSS.escape(name)}"]`);
    if (!old) {
      const before = part.previousElementSibling?.dataset.part;
      const anchor = before && document.querySelector(`[data-part="${CSS.escape(before)}"]`);
      const arrived = document.importNode(part, true);
      if (anchor) anchor.after(arrived);
      else document.querySelector(part.parentElement.matches(".details") ? ".details" : ".map")?.append(arrived);
      prepare(arrived);
    } else if (written.get(name) !== html) {
      // Nobody's marked text is taken away under their hands; it changes with the next news.
      if (!selected.isCollapsed && old.contains(selected.anchorNode)) continue;
      old.className = part.className;
      old.innerHTML = html;
      prepare(old);
    }
    written.set(name, html);
  }
  opened.forEach((where) => found(where)?.parentElement.setAttribute("open", ""));
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target && !target.matches(":target")) location.replace(location.hash);
  if (focused && !document.activeElement?.isSameNode(found(focused))) found(focused)?.focus({ preventScroll: true });
  for (const [pane, top] of scrolled) pane.scrollTop = top;
}

// Where an element stands: its part, and its way down from there.
function trail(element) {
  const part = element.closest("[data-part]");
  const way = [];
  for (let it = element; part && it !== part; it = it.parentElement) way.unshift([...it.parentElement.children].indexOf(it));
  return { element, part: part?.dataset.part, way };
}

function found({ element, part, way }) {
  if (element.isConnected) return element;
  return way.reduce((it, at) => it?.children[at], document.querySelector(`[data-part="${CSS.escape(part)}"]`));
}

// The server tells of changes while the page is looked at, and of nothing else: the page itself is asked for again.
function follow(address) {
  let source = null;
  let busy = false;
  let again = false;

  async function refresh() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      do {
        again = false;
        const answer = await fetch(location.pathname + location.search);
        if (answer.ok) update(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } while (again);
    } catch {
      // the server is away; the next event tries again
    } finally {
      busy = false;
    }
  }

  function look() {
    if (document.visibilityState !== "visible") {
      source?.close();
      source = null;
    } else if (!source && address) {
      source = new EventSource(address);
      source.addEventListener("changed", refresh);
      source.addEventListener("over", async () => {
        source?.close();
        source = null;
        address = null;
        await refresh();
      });
      // What happened while nobody looked.
      source.addEventListener("open", refresh);
    }
  }

  document.addEventListener("visibilitychange", look);
  look();
}

document.addEventListener("DOMContentLoaded", () => {
  for (const part of parts(document)) written.set(part.dataset.part, part.innerHTML);
  prepare(document);
  if (!document.querySelector(".bench")) return;
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const menu = document.querySelector(".menu[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
  const live = document.querySelector("[data-live]");
  if (live) follow(live.dataset.live);
});
