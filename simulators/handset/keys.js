// Keys of the phone: on-screen buttons, the computer's keyboard, and multi-tap letters.

const LETTERS = {
  1: ".,?!'-1", 2: "abc2", 3: "def3", 4: "ghi4", 5: "jkl5", 6: "mno6",
  7: "pqrs7", 8: "tuv8", 9: "wxyz9", 0: " 0", "*": "*+",
};
const PAUSE = 900; // ms after which the same key starts a new letter

/** Turns presses of the keypad into text, as phones without a keyboard do. */
export class MultiTap {
  constructor() {
    this.letters = true;
    this.last = "";
    this.turn = 0;
    this.at = 0;
  }

  /** Put what `key` means into `field`; "#" switches between letters and digits. */
  press(field, key) {
    if (key === "#") {
      this.letters = !this.letters;
      this.last = "";
      return;
    }
    const choices = LETTERS[key];
    const again = key === this.last && Date.now() - this.at < PAUSE;
    this.turn = again ? (this.turn + 1) % choices.length : 0;
    const char = this.letters ? choices[this.turn] : key;
    const end = field.selectionEnd;
    const start = this.letters && again ? Math.max(end - 1, 0) : field.selectionStart;
    field.setRangeText(char, start, end, "end");
    this.last = this.letters ? key : "";
    this.at = Date.now();
  }
}

const NAMED = {
  Enter: "green", Escape: "red", ArrowUp: "up", ArrowDown: "down", Backspace: "erase",
};

/** Call `press` for on-screen keys and for the keyboard while no other field is used. */
export function listen(phone, press) {
  phone.addEventListener("click", (event) => {
    const button = event.target.closest("[data-key]");
    if (button) press(button.dataset.key);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    const typing = target.matches("input, textarea, select");
    const inPhone = phone.contains(target);
    if (typing && !inPhone) return;
    const named = NAMED[event.key];
    if (typing && named !== "green" && named !== "red") return;
    if (typing && named === "green" && target.matches("textarea") && event.shiftKey) return;
    if (named === "green" && target.matches("button, a, summary")) return;
    if ((named === "up" || named === "down") && !inPhone && target !== document.body) return;
    const key = named ?? (/^[0-9*#]$/.test(event.key) ? event.key : "");
    if (!key) return;
    event.preventDefault();
    flash(phone, key);
    press(key);
  });
}

function flash(phone, key) {
  const button = phone.querySelector(`.keypad [data-key="${CSS.escape(key)}"]`);
  if (!button) return;
  button.classList.add("down");
  setTimeout(() => button.classList.remove("down"), 120);
}
