// Small enhancements. Without them every page still does its whole job.

// Buttons that only a script can serve stand hidden in the page.
const reveal = (button, act) => {
  button.hidden = false;
  button.addEventListener("click", act);
};

const say = (button, text) => {
  const status = document.getElementById(button.getAttribute("aria-describedby"));
  if (status) status.textContent = text;
};

// "Autour de moi": the browser's position goes into the field, or to the list of stops nearby.
// Four decimals are 10 m: enough for a stop, and no more of somebody's position than needed.
for (const button of document.querySelectorAll("[data-here]")) {
  if (!("geolocation" in navigator)) continue;
  reveal(button, () => {
    say(button, button.dataset.busy);
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const here = `${coords.latitude.toFixed(4)},${coords.longitude.toFixed(4)}`;
        if (button.dataset.href) {
          location.assign(`${button.dataset.href}${encodeURIComponent(here)}`);
        } else {
          const field = document.getElementById(button.dataset.here);
          field.value = here;
          field.focus();
          say(button, button.dataset.done);
        }
      },
      () => say(button, button.dataset.failed),
      { timeout: 15000, maximumAge: 60000 },
    );
  });
}

// A code that lives a minute: a page that shows one asks for the next, while somebody looks at it.
for (const shown of document.querySelectorAll("[data-renew]")) {
  setInterval(() => {
    if (!document.hidden) location.reload();
  }, Number(shown.dataset.renew) * 1000);
}

for (const button of document.querySelectorAll("[data-print]")) reveal(button, () => window.print());

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  reveal(button, async () => {
    await navigator.clipboard.writeText(location.origin + button.dataset.copy);
    say(button, button.dataset.done);
  });
}

// A new set of results is announced, read from its heading, and named by it in the window's title.
// Suggestions are asked for by a field, and leave the keyboard there.
document.addEventListener("htmx:after:swap", ({ target }) => {
  const heading = document.querySelector("[data-focus]");
  if (!heading || target instanceof HTMLInputElement) return;
  document.title = `${heading.textContent} – Mobigo`;
  heading.focus({ preventScroll: false });
});
