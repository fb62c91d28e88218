// Makes the console quicker. Every page works without it.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // A form that is on its way is not sent twice. Buttons are not disabled, because a
  // disabled button would not send its own value.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "get") return;
    if (form.getAttribute("aria-busy") === "true") return event.preventDefault();
    form.setAttribute("aria-busy", "true");
  });
  // The browser's Back button shows the page as it was left: let it be sent again.
  addEventListener("pageshow", () => {
    all("form[aria-busy]").forEach((form) => form.removeAttribute("aria-busy"));
  });

  // Keys: data-key on an input focuses it, on a button or link presses it.
  const typesText = (node) =>
    node.isContentEditable ||
    node.matches("textarea, select") ||
    (node.matches("input") && !["number", "checkbox", "radio", "button", "submit"].includes(node.type));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (gradeKey(event) || typesText(event.target)) return;
    const wanted = event.key.toLowerCase();
    const target = all("[data-key]").find(
      (node) => node.dataset.key.toLowerCase() === wanted && node.getClientRects().length,
    );
    if (!target) return;
    event.preventDefault();
    if (target.matches("input, select, textarea")) {
      target.focus();
      if (target.select) target.select();
    } else {
      target.click();
    }
  });

  // Grading: counters that add up to what was counted.
  const count = (input) => Math.max(0, Math.trunc(Number(input.value)) || 0);

  function addUp(grader) {
    const values = all("[data-grade]", grader).map(count);
    const total = Number(grader.dataset.total);
    const done = values.reduce((sum, value) => sum + value, 0);
    const left = total - done;
    const bar = grader.querySelector("[data-sum]");
    bar.dataset.state = left < 0 ? "over" : left ? "under" : "ok";
    bar.querySelector("[data-sum-parts]").textContent = values.filter(Boolean).join(" + ") || "0";
    bar.querySelector("[data-sum-done]").textContent = done;
    bar.querySelector("[data-sum-words]").textContent =
      left < 0 ? `${-left} too many` : left ? `${left} to grade` : "";
    return left;
  }

  function step(input, by) {
    input.value = Math.max(0, count(input) + by);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function gradeKey(event) {
    const input = event.target;
    if (!input.matches("[data-grade]")) return false;
    const grader = input.closest(".grader");
    const inputs = all("[data-grade]", grader);
    if (event.key === "Enter") {
      const next = inputs[inputs.indexOf(input) + 1];
      const submit = input.form && input.form.querySelector("[type=submit], button:not([type])");
      if (next) next.select();
      (next || submit || input).focus();
    } else if (event.key === "+") {
      step(input, 1);
    } else if (event.key === "-") {
      step(input, -1);
    } else if (event.key === "=") {
      step(input, addUp(grader));
    } else {
      return false;
    }
    event.preventDefault();
    return true;
  }

  document.addEventListener("input", (event) => {
    const grader = event.target.closest(".grader");
    if (grader) addUp(grader);
    if (event.target.dataset.filter) filter(event.target);
  });
  all(".grader").forEach(addUp);

  // Filter the rows of a table as one types.
  function filter(input) {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    all("tbody tr", document.getElementById(input.dataset.filter)).forEach((row) => {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    });
  }

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (!box.dataset.checkAll) return;
    const name = CSS.escape(box.dataset.checkAll);
    all(`input[type=checkbox][name="${name}"]`, box.form || document).forEach((one) => {
      if (!one.closest("[hidden]")) one.checked = box.checked;
    });
  });

  // The drawer of a phone, menus, counters and printing.
  function closeDrawer() {
    const open = document.querySelector(".side.open");
    if (!open) return;
    open.classList.remove("open");
    const opener = document.querySelector("[data-drawer]");
    opener.setAttribute("aria-expanded", "false");
    opener.focus();
  }

  // A text that is shown once. Without the clipboard (plain http) it is selected instead.
  async function copy(button, input) {
    input.select();
    try {
      await navigator.clipboard.writeText(input.value);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected: press Ctrl+C";
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (button) step(document.getElementById(button.dataset.for), Number(button.dataset.step));
    if (event.target.closest("[data-print]")) print();
    const copier = event.target.closest("[data-copy]");
    if (copier) copy(copier, document.getElementById(copier.dataset.copy));
    all("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    const opener = event.target.closest("[data-drawer]");
    if (opener) {
      const drawer = document.getElementById(opener.dataset.drawer);
      drawer.classList.add("open");
      opener.setAttribute("aria-expanded", "true");
      drawer.querySelector("a").focus();
      event.preventDefault();
    } else if (event.target.closest(".side-close") || !event.target.closest(".side")) {
      if (document.querySelector(".side.open")) event.preventDefault();
      closeDrawer();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    closeDrawer();
    all("details[data-menu][open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  // Regions that keep themselves fresh. Slow links: one request at a time, longer
  // pauses after a failure, none while the page is hidden.
  all("[data-refresh-url]").forEach((region) => {
    const normal = Math.max(2, Number(region.dataset.refreshSeconds) || 10);
    let pause = normal;
    const later = () => setTimeout(refresh, pause * 1000);
    async function refresh() {
      if (document.hidden || region.contains(document.activeElement)) return later();
      try {
        const answer = await fetch(region.dataset.refreshUrl, {
          headers: { "X-Requested-With": "fetch" },
          credentials: "same-origin",
        });
        // Signed out, not allowed, gone or finished: stop asking.
        if (answer.status === 204 || answer.redirected || (answer.status >= 400 && answer.status < 500)) return;
        if (answer.headers.get("X-Refresh-Done") === "page") return location.reload();
        if (!answer.ok) throw new Error(answer.statusText);
        const html = await answer.text();
        if (html !== region.dataset.last) region.innerHTML = html;
        region.dataset.last = html;
        pause = normal;
      } catch {
        pause = Math.min(pause * 2, 120);
      }
      later();
    }
    later();
  });
})();
