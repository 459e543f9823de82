// Comfort only: every page works without this file. What needs it stays hidden until it has run.
"use strict";

// The theme: the system's, or the visitor's own choice, kept in this browser. This part runs before the page is painted.
const root = document.documentElement;
const themes = ["system", "light", "dark"];

function savedTheme() {
  try {
    const theme = localStorage.getItem("theme");
    return themes.includes(theme) ? theme : "system";
  } catch {
    return "system"; // storage is switched off in this browser
  }
}

function applyTheme(theme) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
}

function saveTheme(theme) {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // the choice then lasts as long as the page
  }
}

applyTheme(savedTheme());

function themeSwitch(button) {
  let theme = savedTheme();
  const label = () => {
    button.ariaLabel = button.dataset[theme];
    button.title = button.dataset[theme];
  };
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    applyTheme(theme);
    saveTheme(theme);
    label();
  });
  label();
  button.hidden = false;
}

// Show the password, for as long as the button is pressed in.
function revealButton(button) {
  const input = document.getElementById(button.dataset.reveal);
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.ariaPressed = String(!shown);
  });
  button.hidden = false;
}

// Fill in a demo user.
function fillButton(button) {
  button.addEventListener("click", () => {
    for (const name of ["username", "password"]) document.getElementById(name).value = button.dataset[name];
  });
  button.hidden = false;
}

// Count the time down. The server said how many seconds are left, so a wrong clock of this computer does no harm.
function countdown(clock) {
  const end = Date.now() + Number(clock.dataset.left) * 1000;
  const meter = document.getElementById(clock.dataset.meter);
  if (end <= Date.now()) return;
  const timer = setInterval(tick, 1000);

  function tick() {
    const left = Math.max(0, Math.round((end - Date.now()) / 1000));
    clock.querySelector("[data-minutes]").textContent = Math.floor(left / 60);
    clock.querySelector("[data-seconds]").textContent = left % 60;
    meter.value = left;
    if (left === 0) {
      clearInterval(timer);
      // The server has the last word: it shows the page of a session that has ended. What somebody types stays.
      if (!clock.closest("form")) location.reload();
    }
  }
}

// Times are written in UTC; show the visitor's own, without today's date, and keep UTC as the tooltip.
function localTime(time) {
  const at = new Date(time.dateTime);
  const today = at.toDateString() === new Date().toDateString();
  time.title = time.textContent;
  time.textContent = today ? at.toLocaleTimeString(root.lang) : at.toLocaleString(root.lang);
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-theme-switch]").forEach(themeSwitch);
  document.querySelectorAll("[data-reveal]").forEach(revealButton);
  document.querySelectorAll("[data-fill]").forEach(fillButton);
  document.querySelectorAll("[data-left]").forEach(countdown);
  document.querySelectorAll("[data-local]").forEach(localTime);
});
