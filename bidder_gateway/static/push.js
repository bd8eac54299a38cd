// Pushes to this browser: whether they come, and turning them on and off.
//
// `askForPush` asks for permission, so it is called from a click on a button that says what for,
// and never by itself: whoever is asked without having asked says no for good.

const WORKER = "/push-worker.js";
const KEY = "/api/v1/push/key";
const DEVICES = "/api/v1/push/subscriptions";
const FORGET = "/api/v1/push/forget";

/** "unsupported" here, "denied" by the person, "off", or "on". */
export async function pushState(browser = globalThis) {
  if (!supported(browser)) return "unsupported";
  if (browser.Notification.permission === "denied") return "denied";
  const subscription = await subscriptionOf(browser);
  return subscription && browser.Notification.permission === "granted" ? "on" : "off";
}

/** Ask for permission and sign this browser up; the state that it comes to. Only from a click. */
export async function askForPush(browser = globalThis) {
  if (!supported(browser)) return "unsupported";
  const permission = await browser.Notification.requestPermission();
  if (permission === "denied") return "denied";
  if (permission !== "granted") return "off";
  const registration = await browser.navigator.serviceWorker.register(WORKER, { scope: "/" });
  await browser.navigator.serviceWorker.ready;
  const { key } = await answerOf(browser.fetch(KEY));
  const subscription = await subscribed(registration, key);
  const { endpoint, keys } = subscription.toJSON();
  await answerOf(browser.fetch(DEVICES, asJson({ endpoint, keys })));
  return "on";
}

/** No more pushes to this browser: also before somebody signs out of it. */
export async function endPush(browser = globalThis) {
  if (!supported(browser)) return "unsupported";
  const subscription = await subscriptionOf(browser);
  if (subscription) {
    const { endpoint } = subscription;
    // We stop sending even if the browser's push service cannot be reached, and the other way.
    await Promise.allSettled([
      answerOf(browser.fetch(FORGET, { ...asJson({ endpoint }), keepalive: true })),
      subscription.unsubscribe(),
    ]);
  }
  return "off";
}

function supported(browser) {
  return Boolean(browser.navigator?.serviceWorker && browser.PushManager && browser.Notification);
}

async function subscriptionOf(browser) {
  const registration = await browser.navigator.serviceWorker.getRegistration("/");
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** A subscription under an older key of ours is of no use: it is given up for a new one. */
async function subscribed(registration, key) {
  const wanted = { userVisibleOnly: true, applicationServerKey: key };
  try {
    return await registration.pushManager.subscribe(wanted);
  } catch (error) {
    if (error.name !== "InvalidStateError") throw error;
    await (await registration.pushManager.getSubscription())?.unsubscribe();
    return registration.pushManager.subscribe(wanted);
  }
}

function asJson(value) {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(value),
  };
}

async function answerOf(asked) {
  const response = await asked;
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.status === 204 ? null : response.json();
}
