// Grading by keyboard: one key, one piece. The form works without it.
"use strict";
(() => {
  const form = document.querySelector("[data-grading]");
  if (!form) return;
  const all = (selector, within = form) => [...within.querySelectorAll(selector)];
  const dialog = document.querySelector("[data-defects]");
  const saved = form.querySelector("[data-save]");
  const undoButton = form.querySelector("[data-undo]");
  const total = Number(form.querySelector("[data-total]").dataset.total);
  const counters = all("[data-counter]");
  const letters = "asdfg";
  const history = [];

  const linesOf = (counter) => all("[data-line]", counter);
  const inputOf = (line) => line.querySelector("[data-grade]");
  const defectOf = (line) => line.querySelector("select");
  const count = (input) => Math.max(0, Math.trunc(Number(input.value)) || 0);
  const done = () => all("[data-grade]").reduce((sum, input) => sum + count(input), 0);

  function say(words) {
    form.querySelector("[data-said]").textContent = words;
  }

  function touched(input) {
    const select = defectOf(input.closest("[data-line]"));
    if (select) select.required = count(input) > 0;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // Rows: the page comes with spare ones for readers without scripts; here a row
  // appears when it is needed.
  const blanks = new Map();
  for (const counter of counters) {
    const lines = linesOf(counter);
    const blank = lines[lines.length - 1].cloneNode(true);
    all("input, select", blank).forEach((field) => {
      field.value = "";
    });
    blanks.set(counter, blank);
    lines.slice(1).forEach((line) => {
      if (!inputOf(line).value && !defectOf(line).value) line.remove();
    });
  }

  function addLine(counter, defect = "") {
    const line = blanks.get(counter).cloneNode(true);
    const lines = linesOf(counter);
    lines[lines.length - 1].after(line);
    if (defect) defectOf(line).value = defect;
    return line;
  }

  // Undo: how every field stood before each step.
  const snapshot = () =>
    counters.map((counter) =>
      linesOf(counter).map((line) => all("input, select", line).map((field) => field.value)),
    );

  function remember(before = snapshot()) {
    history.push(before);
    if (history.length > 500) history.shift();
    undoButton.disabled = false;
  }

  function undo() {
    const before = history.pop();
    if (!before) return say("Nothing to undo");
    counters.forEach((counter, index) => {
      let lines = linesOf(counter);
      lines.slice(before[index].length).forEach((line) => line.remove());
      while (linesOf(counter).length < before[index].length) addLine(counter);
      lines = linesOf(counter);
      lines.forEach((line, row) => {
        all("input, select", line).forEach((field, place) => {
          field.value = before[index][row][place];
        });
        touched(inputOf(line));
      });
    });
    undoButton.disabled = !history.length;
    say(`Undone. ${done()} of ${total}`);
  }

  let before = null;
  form.addEventListener("focusin", (event) => {
    if (event.target.closest("[data-line]")) before = snapshot();
  });
  form.addEventListener("change", (event) => {
    const line = event.target.closest("[data-line]");
    if (!line) return;
    if (before) remember(before);
    before = snapshot();
    if (event.target === inputOf(line) || event.target === defectOf(line)) touched(inputOf(line));
  });

  // One piece more (or less) on a line.
  function addTo(line, by = 1) {
    const input = inputOf(line);
    if (by > 0 && done() >= total) return say(`All ${total} pieces have a grade. Undo one first.`);
    if (count(input) + by < 0) return;
    remember();
    input.value = count(input) + by;
    line.dataset.last = "";
    all("[data-last]", line.parentElement).forEach((other) => {
      if (other !== line) delete other.dataset.last;
    });
    flash(line);
    touched(input);
    before = snapshot();
    const name = line.parentElement.dataset.counter;
    const defect = defectOf(line) ? ` ${defectOf(line).selectedOptions[0].text}` : "";
    say(`${name}${defect}: ${input.value}. ${done()} of ${total}`);
  }

  function flash(line) {
    line.classList.remove("line-flash");
    void line.offsetWidth;
    line.classList.add("line-flash");
  }

  // Where the next piece of a grade goes: the line used last, or the first with a
  // defect; without one the dialog asks.
  function grade(index, ask = false) {
    const counter = counters[index];
    const lines = linesOf(counter);
    if (!defectOf(lines[0])) return addTo(lines[0]);
    const line = lines.find((one) => "last" in one.dataset) || lines.find((one) => defectOf(one).value);
    if (line && defectOf(line).value && !ask) return addTo(line);
    if (done() >= total) return say(`All ${total} pieces have a grade. Undo one first.`);
    choose(counter, (defect) => {
      const same = linesOf(counter).find((one) => defectOf(one).value === defect);
      const free = linesOf(counter).find((one) => !defectOf(one).value && !count(inputOf(one)));
      const target = same || free || addLine(counter, defect);
      defectOf(target).value = defect;
      addTo(target);
    });
  }

  // The defect dialog: a key for each defect.
  const keys = "123456789qwertyuiop";
  let chosen = null;

  function choose(counter, then) {
    const list = dialog.querySelector("[data-defect-list]");
    const options = [...blanks.get(counter).querySelector("select").options].filter((one) => one.value);
    list.replaceChildren(
      ...options.map((option, index) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        const key = document.createElement("kbd");
        button.type = "button";
        button.className = "button";
        button.dataset.defect = option.value;
        button.dataset.pick = keys[index] || "";
        key.textContent = (keys[index] || "").toUpperCase();
        button.append(key, option.text);
        item.append(button);
        return item;
      }),
    );
    const name = counter.querySelector("legend").firstChild.textContent.trim();
    dialog.querySelector("h2").textContent = `${name}: what is wrong?`;
    chosen = then;
    dialog.showModal();
  }

  // A dialog just closed keeps the focus until the browser paints: a quick Enter or
  // Space would press its hidden button and count the piece again.
  const pressable = (node) => node.closest("button, a, summary") && !dialog.contains(node);

  function pick(button) {
    if (!dialog.open) return;
    dialog.close();
    chosen(button.dataset.defect);
  }
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("[data-defect]");
    if (button) pick(button);
  });

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const line = button.closest("[data-line]");
    if (button.matches("[data-more]")) {
      if (defectOf(line) && !defectOf(line).value) {
        grade(counters.indexOf(line.parentElement), true);
      } else {
        addTo(line);
      }
    } else if (button.matches("[data-less]")) {
      addTo(line, -1);
    } else if (button.matches("[data-undo]")) {
      undo();
    } else if (button.matches("[data-another]")) {
      remember();
      inputOf(addLine(button.parentElement)).focus();
    }
  });

  function typing(node) {
    return node.matches("textarea, select, [contenteditable]") || (node.matches("input") && node.type !== "number");
  }

  // Captured before the console's own keys. In a number field digits are typed, and
  // letters still add a piece.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (dialog.open) {
        const button = all("[data-pick]", dialog).find((one) => one.dataset.pick && one.dataset.pick === key);
        if (button) {
          event.preventDefault();
          pick(button);
        }
        return;
      }
      if (key === "Escape" && event.target.closest("[data-grading]")) return event.target.blur();
      if (typing(event.target) || !handled(event, key)) return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );

  function handled(event, key) {
    const number = event.target.matches("[data-grade]");
    if (letters.includes(key)) {
      grade(letters.indexOf(key), event.shiftKey);
    } else if (!number && "12345".includes(key)) {
      grade(Number(key) - 1);
    } else if (key === "u" || (!number && key === "Backspace")) {
      undo();
    } else if (key === "n" && !number) {
      const first = inputOf(linesOf(counters[0])[0]);
      first.focus();
      first.select();
    } else if (key === "Enter" && !number && !pressable(event.target)) {
      const left = total - done();
      if (left) say(left < 0 ? `${-left} too many` : `${left} still to grade`);
      else saved.focus();
    } else {
      return false;
    }
    return true;
  }
})();
