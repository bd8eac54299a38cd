import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInNewContext } from "node:vm";

import { askForPush, endPush, pushState } from "../../bidder_gateway/static/push.js";

const SUBSCRIPTION = { endpoint: "https://push.example/1", keys: { p256dh: "p", auth: "a" } };

/** A browser as push.js sees it; what it was asked for is in `asked`. */
function browserWith({ permission = "default", answer = "granted", subscription = null } = {}) {
  const asked = [];
  const kept = () => ({
    endpoint: SUBSCRIPTION.endpoint,
    toJSON: () => ({ ...SUBSCRIPTION, expirationTime: null }),
    unsubscribe: async () => { browser.subscription = null; },
  });
  const pushManager = {
    getSubscription: async () => browser.subscription,
    subscribe: async (wanted) => {
      asked.push(["subscribe", wanted]);
      browser.subscription = kept();
      return browser.subscription;
    },
  };
  const browser = {
    asked,
    subscription: subscription && kept(),
    PushManager: function PushManager() {},
    Notification: {
      permission,
      requestPermission: async () => {
        asked.push(["permission"]);
        browser.Notification.permission = answer;
        return answer;
      },
    },
    navigator: {
      serviceWorker: {
        ready: Promise.resolve(),
        register: async (path, { scope }) => {
          asked.push(["register", path, scope]);
          return { pushManager };
        },
        getRegistration: async () => ({ pushManager }),
      },
    },
    fetch: async (path, options) => {
      asked.push([options?.method ?? "GET", path, options?.body && JSON.parse(options.body)]);
      return { ok: true, status: path.endsWith("key") ? 200 : 204, json: async () => ({ key: "K" }) };
    },
  };
  return browser;
}

test("a browser without pushes says so", async () => {
  assert.equal(await pushState({ navigator: {} }), "unsupported");
  assert.equal(await askForPush({ navigator: {} }), "unsupported");
});

test("nothing is asked for by looking", async () => {
  const browser = browserWith();
  assert.equal(await pushState(browser), "off");
  assert.deepEqual(browser.asked, []);
});

test("with permission the browser is signed up", async () => {
  const browser = browserWith();
  assert.equal(await askForPush(browser), "on");
  assert.deepEqual(browser.asked, [
    ["permission"],
    ["register", "/push-worker.js", "/"],
    ["GET", "/api/v1/push/key", undefined],
    ["subscribe", { userVisibleOnly: true, applicationServerKey: "K" }],
    ["POST", "/api/v1/push/subscriptions", SUBSCRIPTION],
  ]);
  assert.equal(await pushState(browser), "on");
});

test("who says no is not signed up", async () => {
  for (const [answer, state] of [["denied", "denied"], ["default", "off"]]) {
    const browser = browserWith({ answer });
    assert.equal(await askForPush(browser), state);
    assert.deepEqual(browser.asked, [["permission"]]);
  }
});

test("the end is told to us and to the browser", async () => {
  const browser = browserWith({ permission: "granted", subscription: true });
  assert.equal(await endPush(browser), "off");
  assert.deepEqual(browser.asked, [
    ["POST", "/api/v1/push/forget", { endpoint: SUBSCRIPTION.endpoint }],
  ]);
  assert.equal(await pushState(browser), "off");
});

/** The worker, run in a world of its own. */
function worker() {
  const handlers = {};
  const shown = [];
  const opened = [];
  const self = {
    location: new URL("https://auctions.example/push-worker.js"),
    addEventListener: (name, handler) => { handlers[name] = handler; },
    registration: { showNotification: async (title, options) => shown.push({ title, ...options }) },
    clients: {
      matchAll: async () => [],
      openWindow: async (url) => opened.push(url),
    },
  };
  const code = readFileSync(new URL("../../bidder_gateway/static/push-worker.js", import.meta.url));
  runInNewContext(code.toString(), { self, URL, Date, fetch: async () => assert.fail("no request") });
  const happens = async (name, event) => {
    const waiting = [];
    handlers[name]({ ...event, waitUntil: (work) => waiting.push(work) });
    await Promise.all(waiting);
  };
  return { happens, shown, opened };
}

const PUSH = {
  title: "Outbid on Pallet", body: "The current bid is $120.", tag: "t", urgent: true,
  url: "/sales/S/lots/1?bid=13000", at_us: 1_000_000,
};

test("a push is shown, and a click opens its page and sends nothing", async () => {
  const { happens, shown, opened } = worker();
  await happens("push", { data: { json: () => PUSH } });
  assert.equal(shown[0].title, "Outbid on Pallet");
  assert.deepEqual(
    [shown[0].body, shown[0].tag, shown[0].renotify, shown[0].timestamp],
    [PUSH.body, "t", true, 1_000],
  );
  await happens("notificationclick", { notification: { close() {}, data: shown[0].data } });
  assert.deepEqual(opened, ["https://auctions.example/sales/S/lots/1?bid=13000"]);
});

test("a push that cannot be read is shown all the same", async () => {
  const { happens, shown } = worker();
  await happens("push", { data: null });
  assert.equal(shown[0].body, "There is something new.");
});

test("no push leads to another site", async () => {
  for (const url of ["https://evil.example/", "//evil.example/x", "javascript:alert(1)", 7]) {
    const { happens, opened } = worker();
    await happens("notificationclick", { notification: { close() {}, data: { url } } });
    assert.equal(new URL(opened[0]).origin, "https://auctions.example");
  }
});
