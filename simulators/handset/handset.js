// The feature phone: which SIM is in, what its keys do, and what arrives from the network.

import { MultiTap, listen } from "./keys.js";
import { clockText, draw, kes, make } from "./screen.js";

const $ = (id) => document.getElementById(id);
const POLL = 2000;
const WIRE_LENGTH = 30;

class Phone {
  constructor() {
    this.mode = "home";
    this.tenants = [];
    this.slug = "";
    this.code = "";
    this.name = "";
    this.phone = "";
    this.dialled = "";
    this.turn = null;
    this.dialId = 0; // raised by every dial and every hang-up: late answers are dropped
    this.chosen = 0;
    this.message = null;
    this.replyTo = "";
    this.draft = "";
    this.sms = [];
    this.sent = [];
    this.money = [];
    this.first = true;
    this.tap = new MultiTap();
  }

  draw() {
    draw($("view"), $("soft-left"), $("soft-right"), this);
    const unread = this.unread();
    $("unread-mark").hidden = !unread;
    $("unread-count").textContent = unread;
    $("unread-mark").title = `${unread} unread`;
    $("messages").textContent = unread ? `Messages (${unread} new)` : "Messages";
    $("network").textContent = this.phone ? this.slug || "network" : "No SIM";
    $("clock").textContent = clockText();
  }

  go(mode) {
    this.mode = mode;
    this.chosen = 0;
    this.draw();
    const field = $("answer");
    const elsewhere = document.activeElement?.matches("input, select") && !field;
    if (field && !elsewhere && matchMedia("(pointer: fine)").matches) field.focus();
  }

  // -- messages: which are read is remembered in this browser only ------------------

  readIds() {
    try {
      return new Set(JSON.parse(localStorage.getItem(`read ${this.phone}`) ?? "[]"));
    } catch {
      return new Set();
    }
  }

  isRead(id) {
    return this.readIds().has(id);
  }

  unread() {
    const read = this.readIds();
    return this.sms.filter((message) => !read.has(message.id)).length;
  }

  thread() {
    const mine = this.sent.map((message) => ({ ...message, mine: true }));
    return [...this.sms, ...mine].sort((a, b) => (a.at < b.at ? 1 : -1));
  }

  choose(index) {
    this.chosen = index;
    this.draw();
  }

  openMessage(index) {
    this.message = this.thread()[index];
    if (!this.message) return;
    const known = new Set(this.sms.map((message) => message.id));
    const read = [...this.readIds(), this.message.id].filter((id) => known.has(id));
    localStorage.setItem(`read ${this.phone}`, JSON.stringify(read));
    this.go("message");
    announce(`${this.message.from}: ${this.message.text}`);
  }

  startReply() {
    this.replyTo = this.message.from;
    this.draft = "";
    this.go("compose");
  }

  async sendReply() {
    if (!this.draft.trim()) return;
    const body = { from: this.phone, to: this.replyTo, text: this.draft };
    if (this.slug) body.username = this.slug;
    try {
      await post("/_sms/reply", body);
      announce("Message sent");
      this.go("inbox");
      await poll();
    } catch (error) {
      trouble(`The message was not sent: ${error.message}`);
    }
  }

  // -- USSD -------------------------------------------------------------------------

  async dial(code) {
    if (!this.phone || !code) return;
    await this.exchange({ phone: this.phone, code });
  }

  async answer() {
    const typed = $("answer")?.value ?? "";
    if (!typed) return;
    await this.exchange({ phone: this.phone, session: this.turn.session, answer: typed });
  }

  async exchange(body) {
    const mine = ++this.dialId;
    this.go("running");
    let turn;
    try {
      turn = await post("/_ussd", body);
    } catch (error) {
      turn = { screen: "Connection problem or invalid MMI code", open: false, text: "",
        problem: error.message, latency: 0, reply: "" };
    }
    onWire(turn);
    if (mine !== this.dialId) return;
    this.turn = turn;
    this.go(turn.open ? "ussd" : "ended");
    announce(turn.screen);
  }

  hangUp() {
    this.dialId += 1;
    this.dialled = "";
    this.go("home");
  }

  // -- keys ---------------------------------------------------------------------------

  press(key) {
    if (key === "red") return this.hangUp();
    if (key === "up" || key === "down") return this.move(key === "up" ? -1 : 1);
    if (key === "left" || key === "green") return this.accept(key);
    if (key === "right") return this.back();
    return this.type(key);
  }

  type(key) {
    if (this.mode === "home" || this.mode === "dial") {
      const grown = key === "erase" ? this.dialled.slice(0, -1) : this.dialled + key;
      this.dialled = grown.slice(0, 40);
      return this.go(this.dialled && this.phone ? "dial" : "home");
    }
    const field = $("answer");
    if (!field) return undefined;
    if (key === "erase") field.value = field.value.slice(0, -1);
    else if (this.mode === "compose") this.tap.press(field, key);
    else field.setRangeText(key, field.selectionStart, field.selectionEnd, "end");
    if (this.mode === "compose") {
      this.draft = field.value;
      $("input-mode").textContent = this.tap.letters
        ? "abc (# for digits)" : "123 (# for letters)";
    }
    return undefined;
  }

  move(step) {
    const rows = { inbox: this.thread().length, money: this.money.length }[this.mode];
    if (!rows) {
      $("view").scrollBy(0, step * 40);
      return;
    }
    this.choose(Math.min(Math.max(this.chosen + step, 0), rows - 1));
  }

  accept(key) {
    const acts = {
      home: () => (key === "green" ? this.redial() : this.go("inbox")),
      dial: () => this.dial(this.dialled),
      ussd: () => this.answer(),
      ended: () => this.hangUp(),
      inbox: () => this.openMessage(this.chosen),
      message: () => (this.message.mine ? undefined : this.startReply()),
      compose: () => this.sendReply(),
    };
    if (this.phone) acts[this.mode]?.();
  }

  redial() {
    this.dialled = this.code;
    if (this.dialled) this.go("dial");
  }

  back() {
    if (!this.phone) return;
    if (this.mode === "home") this.go("money");
    else if (this.mode === "dial") this.type("erase");
    else if (this.mode === "message") this.go("inbox");
    else if (this.mode === "compose") this.clearDraft();
    else this.hangUp();
  }

  clearDraft() {
    if (!this.draft) return this.go("message");
    this.draft = this.draft.slice(0, -1);
    $("answer").value = this.draft;
    return undefined;
  }
}

const phone = new Phone();

// -- the network ------------------------------------------------------------------------

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error ?? `HTTP ${answer.status}`);
  return content;
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

function announce(text) {
  $("announce").textContent = text;
}

function onWire(turn) {
  const sent = make("div", { className: "sent" },
    make("span", {}, "text ", make("code", {}, turn.text === "" ? "(empty)" : turn.text)),
    make("span", { className: "faint" }, `${Math.round(turn.latency * 1000)} ms`));
  const line = make("li", {}, sent);
  if (turn.reply) line.append(make("pre", {}, turn.reply));
  if (turn.problem) line.append(make("p", { className: "problem" }, turn.problem));
  $("wire").prepend(line);
  while ($("wire").children.length > WIRE_LENGTH) $("wire").lastChild.remove();
  $("wire").hidden = false;
  $("wire-empty").hidden = true;
}

async function poll() {
  if (!phone.phone) return;
  const asked = phone.phone;
  let found;
  try {
    const answer = await fetch(`/handset/phone.json?phone=${encodeURIComponent(asked)}`);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    found = await answer.json();
  } catch {
    trouble("The network cannot be reached. Trying again\u2026");
    return;
  }
  if (asked !== phone.phone) return;
  if ($("trouble").textContent.startsWith("The network")) trouble("");
  const fresh = found.sms.length > phone.sms.length || found.money.length > phone.money.length;
  const changed = JSON.stringify([phone.sms, phone.sent, phone.money])
    !== JSON.stringify([found.sms, found.sent, found.money]);
  const newest = found.sms.at(-1);
  const paid = found.money.length > phone.money.length ? found.money.at(-1) : null;
  Object.assign(phone, { sms: found.sms, sent: found.sent, money: found.money });
  if (fresh && !phone.first) {
    announce(paid ? `Received ${kes(paid.amount)}` : `New message from ${newest.from}`);
    buzz();
  }
  phone.first = false;
  const drawn = ["home", "inbox", "money"].includes(phone.mode);
  if (drawn && (changed || phone.mode === "home")) phone.draw();
  else if (changed) updateMarks();
}

function updateMarks() {
  const unread = phone.unread();
  $("unread-mark").hidden = !unread;
  $("unread-count").textContent = unread;
}

function buzz() {
  $("phone").classList.remove("buzz");
  requestAnimationFrame(() => $("phone").classList.add("buzz"));
}

// -- choosing a phone -----------------------------------------------------------------------

function insertSim(number, name) {
  phone.phone = number;
  phone.name = name;
  Object.assign(phone, { sms: [], sent: [], money: [], first: true });
  $("shortcuts").hidden = false;
  phone.hangUp();
  poll();
}

function showTenant() {
  const tenant = phone.tenants.find((one) => one.slug === $("tenant").value);
  if (!tenant) return;
  if (phone.slug && phone.slug !== tenant.slug) {
    phone.phone = "";
    Object.assign(phone, { sms: [], sent: [], money: [] });
    $("shortcuts").hidden = true;
    phone.hangUp();
  }
  phone.slug = tenant.slug;
  phone.code = tenant.ussd_code;
  $("dial").textContent = tenant.ussd_code ? `Dial ${tenant.ussd_code}` : "No USSD code";
  $("dial").disabled = !tenant.ussd_code;
  listWorkshops(tenant);
}

function listWorkshops(tenant) {
  const wanted = $("filter").value.trim().toLowerCase();
  const box = $("workshops");
  const fits = tenant.workshops.filter((shop) =>
    `${shop.code} ${shop.phone} ${shop.language}`.toLowerCase().includes(wanted));
  box.replaceChildren(box.querySelector("legend"));
  for (const shop of fits) {
    const radio = make("input", {
      type: "radio", name: "workshop", value: shop.phone, checked: shop.phone === phone.phone,
    });
    radio.addEventListener("change", () => insertSim(shop.phone, shop.code));
    box.append(make("label", {}, radio,
      make("span", { className: "code" }, shop.code),
      make("span", { className: "phone-no" }, shop.phone),
      make("span", { className: "tag" }, shop.language || "-")));
  }
  if (!fits.length) box.append(make("p", {}, "No workshop fits this filter."));
  const all = tenant.workshops.length;
  $("count").textContent = fits.length === all ? `(${all})` : `(${fits.length} of ${all})`;
}

async function loadTenants() {
  try {
    const found = await (await fetch("/handset/tenants.json")).json();
    if (JSON.stringify(found.tenants) !== JSON.stringify(phone.tenants)) {
      phone.tenants = found.tenants;
      const kept = phone.slug;
      const options = phone.tenants.map((one) => make("option", { value: one.slug }, one.slug));
      $("tenant").replaceChildren(...options);
      if (phone.tenants.some((one) => one.slug === kept)) $("tenant").value = kept;
      showTenant();
    }
    $("web-link").href = new URL("/ops/", found.web);
    $("web-link").hidden = false;
  } catch {
    trouble("The network cannot be reached. Trying again\u2026");
  }
  $("empty").hidden = phone.tenants.length > 0;
  $("pickers").hidden = phone.tenants.length === 0;
  setTimeout(loadTenants, phone.tenants.length ? 15000 : 3000);
}

$("tenant").addEventListener("change", showTenant);
$("filter").addEventListener("input", showTenant);
$("other").addEventListener("submit", (event) => {
  event.preventDefault();
  const number = $("number").value.trim();
  if (!number) return;
  insertSim(number, "");
  showTenant();
});
for (const [id, act] of [
  ["dial", () => phone.dial(phone.code)],
  ["messages", () => phone.go("inbox")],
  ["money", () => phone.go("money")],
]) {
  $(id).addEventListener("click", () => {
    $("phone").scrollIntoView({ block: "nearest" });
    act();
  });
}
listen($("phone"), (key) => phone.press(key));

async function watch() {
  if (!document.hidden) await poll();
  setTimeout(watch, POLL);
}

phone.draw();
loadTenants();
watch();
setInterval(() => { if (phone.mode === "home") phone.draw(); }, 15000);
