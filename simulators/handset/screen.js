// What the phone's screen shows in each mode. Pure drawing: no requests, no timers.

export function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  const { className, ...rest } = options;
  if (className) element.className = className;
  Object.assign(element, rest);
  element.append(...children);
  return element;
}

export function clockText(moment = new Date()) {
  return moment.toLocaleTimeString([], {
    hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
}

export function whenText(stamp) {
  const moment = new Date(stamp);
  const today = moment.toDateString() === new Date().toDateString();
  return today
    ? clockText(moment)
    : moment.toLocaleDateString([], { day: "numeric", month: "short" });
}

function fullText(stamp) {
  const moment = new Date(stamp);
  const day = moment.toLocaleDateString([], {
    weekday: "short", day: "numeric", month: "short", year: "numeric",
  });
  return `${day}, ${clockText(moment)}`;
}

export function kes(amount) {
  return `KES ${amount.toLocaleString("en")}`;
}

const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;

function home(s) {
  if (!s.phone) {
    return [
      make("p", { className: "big-clock" }, clockText()),
      make("p", { className: "centre" }, "Choose a workshop to put its SIM in."),
    ];
  }
  const unread = s.unread();
  const lines = [
    make("p", { className: "big-clock" }, clockText()),
    make("p", { className: "centre" }, s.name ? `${s.name}` : "Your phone"),
    make("p", { className: "centre small" }, s.phone),
  ];
  if (unread) {
    const text = counted(unread, "new message", "new messages");
    lines.push(make("p", { className: "centre" }, make("strong", {}, text)));
  }
  return lines;
}

function dialling(s) {
  return [make("p", { className: "dialled" }, s.dialled)];
}

function running() {
  const dots = make("span", { className: "dots" });
  dots.append(make("span", {}, "."), make("span", {}, "."), make("span", {}, "."));
  return [make("p", { className: "centre" }, "USSD code running", dots)];
}

function talking(s) {
  const parts = [make("p", { className: "talk" }, s.turn.screen || " ")];
  if (s.turn.open) {
    const field = make("input", {
      id: "answer", type: "text", autocomplete: "off", maxLength: 80,
    });
    field.inputMode = matchMedia("(pointer: coarse)").matches ? "none" : "text";
    field.setAttribute("aria-label", "Your answer");
    parts.push(field);
  }
  return parts;
}

function choice(s, index, entry) {
  const { name, time, excerpt, isNew, open } = entry;
  const line = make("span", { className: "line" }, make("span", {}, name), make("span", {}, time));
  const button = make("button", { type: "button" }, line);
  if (excerpt) button.append(make("span", { className: "excerpt" }, excerpt));
  if (isNew) {
    button.classList.add("new");
    button.append(make("span", { className: "hidden" }, "unread"));
  }
  if (index === s.chosen) {
    button.classList.add("chosen");
    button.setAttribute("aria-current", "true");
  }
  button.addEventListener("click", open);
  return make("li", {}, button);
}

function inbox(s) {
  const rows = s.thread();
  const title = make("h3", {}, "Messages");
  if (!rows.length) return [title, make("p", {}, "No messages yet.")];
  const list = make("ul", { className: "list" });
  rows.forEach((message, index) => {
    list.append(choice(s, index, {
      name: message.mine ? `To ${message.to}` : message.from,
      time: whenText(message.at),
      excerpt: message.text || "(empty)",
      isNew: !message.mine && !s.isRead(message.id),
      open: () => s.openMessage(index),
    }));
  });
  return [title, list];
}

function message(s) {
  const it = s.message;
  const title = it.mine ? `To ${it.to}` : it.from;
  const note = it.mine ? (it.delivered ? "delivered" : "on its way") : "";
  return [
    make("h3", {}, title),
    make("p", { className: "talk" }, it.text || "(empty)"),
    make("p", { className: "small" }, [fullText(it.at), note].filter(Boolean).join(" \u00b7 ")),
  ];
}

function compose(s) {
  const field = make("textarea", { id: "answer", rows: 5, maxLength: 480, value: s.draft });
  field.inputMode = matchMedia("(pointer: coarse)").matches ? "none" : "text";
  field.setAttribute("aria-label", `Reply to ${s.replyTo}`);
  field.addEventListener("input", () => { s.draft = field.value; });
  return [
    make("h3", {}, `Reply to ${s.replyTo}`),
    field,
    make("p", { className: "small", id: "input-mode" }, s.tap.letters ? "abc (# for digits)" : "123 (# for letters)"),
  ];
}

function money(s) {
  const title = make("h3", {}, "Money received");
  if (!s.money.length) return [title, make("p", {}, "Nothing yet.")];
  const total = s.money.reduce((sum, payment) => sum + payment.amount, 0);
  const list = make("ul", { className: "list" });
  [...s.money].reverse().forEach((payment, index) => {
    list.append(choice(s, index, {
      name: kes(payment.amount),
      time: whenText(payment.at),
      excerpt: payment.receipt,
      isNew: false,
      open: () => s.choose(index),
    }));
  });
  return [title, make("p", { className: "small" }, `${kes(total)} in all`), list];
}

// mode -> [what is drawn, left soft key, right soft key]
const MODES = {
  home: [home, "Messages", "Money"],
  dial: [dialling, "Call", "Clear"],
  running: [running, "", "Cancel"],
  ussd: [talking, "Send", "Cancel"],
  ended: [talking, "OK", ""],
  inbox: [inbox, "Open", "Back"],
  message: [message, "Reply", "Back"],
  compose: [compose, "Send", "Clear"],
  money: [money, "", "Back"],
};

export function draw(view, left, right, s) {
  const [body, leftLabel, rightLabel] = MODES[s.mode];
  const scroll = view.dataset.mode === s.mode ? view.scrollTop : 0;
  view.replaceChildren(...body(s));
  view.dataset.mode = s.mode;
  view.scrollTop = scroll;
  const dumb = s.mode === "message" && s.message.mine;
  for (const [button, label] of [[left, dumb ? "" : leftLabel], [right, rightLabel]]) {
    button.textContent = label;
    button.disabled = !label || (s.mode === "home" && !s.phone);
    button.hidden = !label;
  }
  view.querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
}
