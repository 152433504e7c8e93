// Everything can be read without this: it adds the reader's own time, a filter, and buttons that copy.
"use strict";
const said = document.getElementById("said");

const zoned = (element, options) => {
  const moment = new Date(element.dateTime);
  if (!isNaN(moment)) element.textContent = new Intl.DateTimeFormat("en-GB", options).format(moment);
};
for (const time of document.querySelectorAll("time[data-date]")) zoned(time, { dateStyle: "long" });
for (const time of document.querySelectorAll("time[data-time]")) {
  zoned(time, { dateStyle: "long", timeStyle: "short" });
}

// A picture that cannot be had leaves its words, and no hole.
const dismiss = (image) => {
  let rest = image;
  if (image.alt) {
    rest = document.createElement("span");
    rest.textContent = image.alt;
    image.replaceWith(rest);
    return;
  }
  while (rest.parentElement.matches(".content :not(td, th)") && rest.parentElement.childNodes.length === 1) {
    rest = rest.parentElement;
  }
  rest.hidden = true;
};
document.addEventListener("error", (event) => {
  if (event.target instanceof HTMLImageElement) dismiss(event.target);
}, true);
for (const image of document.images) {
  if (image.complete && !image.naturalWidth && image.currentSrc) dismiss(image);
}

const filter = document.querySelector("[data-filter]");
if (filter) {
  // Who looks for Zurich finds Zürich.
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const show = () => {
    const words = plain(filter.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const group of document.querySelectorAll("[data-group]")) {
      let here = 0;
      for (const row of group.querySelectorAll("[data-name]")) {
        const matches = words.every((word) => plain(row.dataset.name).includes(word));
        row.hidden = !matches;
        here += matches;
      }
      group.hidden = !here;
      count += here;
    }
    document.getElementById("none").hidden = count > 0;
    said.textContent = words.length ? `${count} ${count === 1 ? "feed" : "feeds"}` : "";
  };
  filter.form.hidden = false;
  filter.form.addEventListener("submit", (event) => event.preventDefault());
  filter.addEventListener("input", show);
  show();
}

// Only a page that came over https, or from this machine, has the clipboard.
const copy = async (text) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("not copied");
};
for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await copy(button.dataset.copy);
      button.textContent = "Copied";
      said.textContent = `Copied ${button.dataset.copy}`;
    } catch {
      button.textContent = "Not copied";
      said.textContent = "The browser did not let the address be copied";
    }
    button.focus();
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}
