"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const steps = all(".step"), phases = all(".phase"), arrows = all(".arrow");
  const nodes = new Map(all(".node").map((node) => [node.dataset.step, node]));
  const form = document.getElementById("filters"), find = document.getElementById("find");
  const shown = document.getElementById("shown"), none = document.getElementById("none");
  const texts = new Map();
  const textOf = (step) => {
    if (!texts.has(step)) texts.set(step, step.textContent.toLowerCase());
    return texts.get(step);
  };
  const chosen = (name) => new Set(all(`input[name=${name}]:checked`, form).map((box) => box.value));
  const visible = () => steps.filter((step) => !step.hidden);

  // Filters: steps are hidden, their boxes and arrows fade.
  const filter = () => {
    const classes = chosen("class"), inPhases = chosen("phase"), wanted = find.value.trim().toLowerCase();
    const kept = new Set();
    for (const step of steps) {
      const { class: of, phase } = step.dataset;
      const keep = classes.has(of) && inPhases.has(phase) && (!wanted || textOf(step).includes(wanted));
      step.hidden = !keep;
      const number = step.id.slice(5);
      if (keep) kept.add(number);
      nodes.get(number)?.classList.toggle("off", !keep);
    }
    for (const arrow of arrows) {
      arrow.classList.toggle("off", !(kept.has(arrow.dataset.from) && kept.has(arrow.dataset.to)));
    }
    for (const phase of phases) phase.hidden = !phase.querySelector(".step:not([hidden])");
    const of = steps.length === 1 ? "1 step" : `${steps.length} steps`;
    shown.textContent = kept.size === steps.length ? of : `${kept.size} of ${of}`;
    none.hidden = kept.size > 0 || steps.length === 0;
  };
  let waiting = 0;
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    if (event.target === find) waiting = setTimeout(filter, 120); else filter();
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); filter(); });

  // A link to a step opens it, whatever the filters say.
  const open = () => {
    const step = /^#step-\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
    if (!step) return;
    step.hidden = false;
    step.closest(".phase").hidden = false;
    step.open = true;
    step.scrollIntoView({ block: "start" });
    step.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", open);

  // The graph: its size, and its boxes by the arrow keys.
  const canvas = document.querySelector(".canvas"), svg = document.querySelector(".canvas svg");
  const near = (number, on) => {
    for (const arrow of arrows) {
      if (arrow.dataset.from === number || arrow.dataset.to === number) arrow.classList.toggle("near", on);
    }
  };
  if (svg) {
    const { width, height } = svg.viewBox.baseVal;
    let scale = 1;
    const zoom = (to) => {
      scale = Math.min(3, Math.max(0.05, to));
      svg.setAttribute("width", width * scale);
      svg.setAttribute("height", height * scale);
    };
    const whole = () => Math.min(1, (canvas.clientWidth - 2) / width, (innerHeight * 0.7) / height);
    document.querySelector(".tools").hidden = false;
    document.querySelector(".tools").addEventListener("click", (event) => {
      const to = { in: scale * 1.4, out: scale / 1.4, fit: whole(), one: 1 }[event.target.dataset.zoom];
      if (to) zoom(to);
    });
    // Small graphs are shown whole, large ones as large as can still be read.
    zoom(Math.max(whole(), 0.62));
    canvas.addEventListener("keydown", (event) => {
      const moves = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
      const move = moves[event.key], node = event.target.closest(".node");
      if (!move || !node) return;
      event.preventDefault();
      const from = node.querySelector("rect"), x = +from.getAttribute("x"), y = +from.getAttribute("y");
      let best = null, least = Infinity;
      for (const other of nodes.values()) {
        const rect = other.querySelector("rect");
        const across = +rect.getAttribute("x") - x, down = +rect.getAttribute("y") - y;
        const along = across * move[0] + down * move[1], aside = Math.abs(across * move[1]) + Math.abs(down * move[0]);
        const far = along + 3 * aside;
        if (along > 0 && far < least) { best = other; least = far; }
      }
      if (!best) return;
      node.tabIndex = -1;
      best.tabIndex = 0;
      best.focus();
    });
    for (const type of ["focusin", "mouseover"]) svg.addEventListener(type, (e) => { const n = e.target.closest(".node"); if (n) near(n.dataset.step, true); });
    for (const type of ["focusout", "mouseout"]) svg.addEventListener(type, (e) => { const n = e.target.closest(".node"); if (n) near(n.dataset.step, false); });
  }

  // Keys: as the line below the filters says.
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === find) {
      if (event.key === "Escape") { find.value = ""; filter(); find.blur(); }
      return;
    }
    const list = visible(), here = list.indexOf(document.activeElement?.closest?.(".step"));
    const go = (step) => { if (step) { const s = step.querySelector("summary"); s.focus(); s.scrollIntoView({ block: "nearest" }); } };
    if (event.key === "/") { event.preventDefault(); find.focus(); }
    else if (event.key === "j") go(list[here + 1]);
    else if (event.key === "k") go(list[Math.max(0, here - 1)]);
    else if (event.key === "o" && here >= 0) list[here].open = !list[here].open;
    else if (event.key === "a") { const to = list.some((step) => !step.open); for (const step of list) step.open = to; }
  });

  const theme = document.getElementById("theme"), root = document.documentElement;
  theme.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  theme.hidden = false;
  form.hidden = false;
  filter();
  open();
})();
