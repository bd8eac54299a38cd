// Shows pushes while no page is open, and opens what they are about. Served at /push-worker.js.
//
// A click opens a page of this site, which asks before it does anything: nothing here bids.

const KEY = "/api/v1/push/key";
const DEVICES = "/api/v1/push/subscriptions";

self.addEventListener("push", (event) => {
  event.waitUntil(show(event.data));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.url));
});

// The browser has given this device another address: we are told, or nothing would come any more.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(signUpAgain());
});

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

/** A browser wants something shown for each push, also for one that cannot be read. */
async function show(data) {
  const told = read(data);
  await self.registration.showNotification(told.title, {
    body: told.body,
    tag: told.tag,
    // A newer one in place of an older one makes itself heard too.
    renotify: told.tag !== undefined,
    requireInteraction: told.urgent,
    timestamp: told.at_us / 1_000,
    data: { url: told.url },
  });
}

function read(data) {
  const nothing = { title: "Softclose", body: "There is something new.", url: "/notices", urgent: false };
  try {
    return { ...nothing, at_us: Date.now() * 1_000, ...data.json() };
  } catch {
    return { ...nothing, at_us: Date.now() * 1_000 };
  }
}

/** Only pages of this site, whatever stands in the push. */
function addressOf(url) {
  const address = new URL(typeof url === "string" ? url : "/notices", self.location.origin);
  return address.origin === self.location.origin ? address.href : self.location.origin;
}

async function open(url) {
  const address = addressOf(url);
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => page.url === address);
  if (there) return there.focus();
  return self.clients.openWindow(address);
}

async function signUpAgain() {
  const { key } = await (await fetch(KEY)).json();
  const subscription = await self.registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: key,
  });
  await fetch(DEVICES, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(bodyOf(subscription)),
  });
}

/** toJSON() also has when it expires, which nobody uses. */
function bodyOf(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  return { endpoint, keys };
}
