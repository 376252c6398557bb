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

function children(now, next) {
  const wanted = [...next.childNodes];
  wanted.forEach((node, place) => {
    const there = now.childNodes[place];
    if (!there) now.append(node);
    else if (same(there, node)) patch(there, node);
    else there.replaceWith(node);
  });
  while (now.childNodes.length > wanted.length) now.lastChild.remove();
}

const live = document.getElementById("live");
if (live && live.dataset.live) {
  const beat = (state) => { document.documentElement.dataset.beat = state; };
  const source = new EventSource(live.dataset.live);
  source.addEventListener("page", (event) => {
    const page = new DOMParser().parseFromString(`<div>${JSON.parse(event.data)}</div>`, "text/html");
    children(live, page.body.firstChild);
  });
  source.onopen = () => beat("on");
  let lost;
  source.onerror = () => { clearTimeout(lost); lost = setTimeout(() => source.readyState === 1 || beat("off"), 4000); };
}
