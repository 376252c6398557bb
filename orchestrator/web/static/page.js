// Keeps the changing part of a page up to date: the server sends it again whenever it is different, and only what
// differs is touched, so that what is open stays open and what is marked stays marked.
"use strict";

function same(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
}

function patch(now, next) {
  if (now.nodeType !== Node.ELEMENT_NODE) {
    if (now.nodeValue !== next.nodeValue) now.nodeValue = next.nodeValue;
    return;
  }
  for (const each of [...now.attributes])
    if (!next.hasAttribute(each.name) && each.name !== "open") now.removeAttribute(each.name);
  for (const each of next.attributes)
    if (each.name !== "open" && now.getAttribute(each.name) !== each.value) now.setAttribute(each.name, each.value);
  children(now, next);
}

// An element with an id is kept whatever comes or goes beside it; others are kept while they stand at the same place.
function children(now, next) {
  const wanted = [...next.childNodes];
  const kept = new Map();
  for (const each of [...now.children].filter((child) => child.id))
    if (wanted.some((node) => same(each, node))) kept.set(each.id, each);
    else each.remove();
  let there = now.firstChild;
  for (const node of wanted) {
    const named = node.id && kept.get(node.id);
    if (named && named !== there) {
      while (there && there !== named && !there.id) there = drop(there);
      if (there !== named) now.insertBefore(named, there);
    }
    const found = named || there;
    if (found && same(found, node)) {
      patch(found, node);
      there = found.nextSibling;
    } else now.insertBefore(node, there);
  }
  while (there) there = drop(there);
}

function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

const live = document.getElementById("live");
if (live && live.dataset.live) {
  let source, lost;
  const beat = (state) => { document.documentElement.dataset.beat = state; };
  const open = () => {
    source = new EventSource(live.dataset.live);
    source.addEventListener("page", (event) => {
      const page = new DOMParser().parseFromString(`<div>${JSON.parse(event.data)}</div>`, "text/html");
      children(live, page.body.firstChild);
    });
    source.onopen = () => {
      clearTimeout(lost);
      lost = undefined;
      beat("on");
    };
    source.onerror = () => { lost ??= setTimeout(doubt, 8000); };
  };
  // A browser gives a stream up for good when the answer is none: a proxy speaks while the server is away, or the
  // session is over. Then the page itself is asked for, and read again where it sends us elsewhere.
  const doubt = () => {
    lost = undefined;
    if (document.hidden || source.readyState === EventSource.OPEN) return;
    beat("off");
    if (source.readyState !== EventSource.CLOSED) {
      lost = setTimeout(doubt, 4000);
      return;
    }
    fetch(location.href, { method: "HEAD", redirect: "manual" }).then(
      (answer) => (answer.type === "opaqueredirect" ? location.reload() : open()),
      open,
    );
  };
  open();
  // A tab that nobody sees has no stream: a browser has six connections to one address for all its tabs.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) source.close();
    else if (source.readyState === EventSource.CLOSED) open();
  });
}
