// The map of a study that may be moved and enlarged, in place of the drawn one, for who asks for it.
// It shows rows of ours and nothing else: no tile, no letter and no picture comes from anywhere.

const button = document.getElementById("carte-bouton");
const drawn = document.querySelector(".desk-map svg");
const links = [...document.querySelectorAll("a[data-circuit]")];
const COLOURS = ["--train", "--coach", "--tram", "--bus"];
const DASHES = [null, [4, 2.5], [1, 2.5], [5, 2, 1, 2]]; // in widths of the line, as in the style sheet
const WIDTH = 2.2;

let open = null; // the map while it is shown
let chosen = "";

const say = (text) => (document.getElementById("carte-dit").textContent = text);

const style = (features) => {
  const look = getComputedStyle(document.documentElement);
  const colour = (name) => look.getPropertyValue(name).trim();
  const colours = COLOURS.flatMap((name, at) => [at, colour(name)]);
  const points = (kind) => ["==", ["get", "kind"], kind];
  return {
    version: 8,
    sources: { study: { type: "geojson", data: features } },
    layers: [
      { id: "paper", type: "background", paint: { "background-color": colour("--paper") } },
      ...DASHES.map((dashes, at) => ({
        id: `runs-${at}`,
        type: "line",
        source: "study",
        filter: ["all", points("run"), ["==", ["floor", ["/", ["get", "look"], 4]], at]],
        layout: { "line-cap": "butt", "line-join": "round" },
        paint: {
          "line-color": ["match", ["%", ["get", "look"], 4], ...colours, colour("--ink")],
          "line-width": WIDTH,
          ...(dashes ? { "line-dasharray": dashes } : {}),
        },
      })),
      {
        id: "stops",
        type: "circle",
        source: "study",
        filter: points("stop"),
        paint: {
          "circle-radius": ["interpolate", ["linear"], ["zoom"], 8, 2.5, 13, 6],
          "circle-color": colour("--paper"),
          "circle-stroke-color": colour("--ink"),
          "circle-stroke-width": 1.5,
        },
      },
      {
        id: "schools",
        type: "circle",
        source: "study",
        filter: points("school"),
        paint: {
          "circle-radius": ["interpolate", ["linear"], ["zoom"], 8, 5, 13, 9],
          "circle-color": colour("--ink"),
          "circle-stroke-color": colour("--paper"),
          "circle-stroke-width": 1,
        },
      },
      ...["stop", "school"].map((kind) => ({
        id: `names-${kind}`,
        type: "symbol",
        source: "study",
        filter: points(kind),
        minzoom: kind === "stop" ? 11 : 0,
        layout: {
          "text-field": ["case", ["==", ["get", "told"], ""], ["get", "name"], ["concat", ["get", "name"], "\n", ["get", "told"]]],
          "text-font": ["sans-serif"],
          "text-size": kind === "stop" ? 12 : 14,
          "text-anchor": "top",
          "text-offset": [0, 0.8],
        },
        paint: { "text-color": colour("--ink"), "text-halo-color": colour("--paper"), "text-halo-width": 1.5 },
      })),
    ],
  };
};

const boundsOf = (features) => {
  const places = features.flatMap(({ geometry: { type, coordinates } }) => (type === "Point" ? [coordinates] : coordinates));
  const range = (at) => [Math.min(...places.map((one) => one[at])), Math.max(...places.map((one) => one[at]))];
  const [[west, east], [south, north]] = [range(0), range(1)];
  return [[west, south], [east, north]];
};

// One circuit is put forward and the others step back; an empty name shows all alike.
const choose = (circuit) => {
  chosen = circuit;
  for (const link of links) {
    if (link.dataset.circuit === circuit) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  for (const at of DASHES.keys()) {
    const one = ["==", ["get", "circuit"], circuit];
    open.map.setPaintProperty(`runs-${at}`, "line-opacity", circuit ? ["case", one, 1, 0.12] : 1);
    open.map.setPaintProperty(`runs-${at}`, "line-width", circuit ? ["case", one, 2 * WIDTH, WIDTH] : WIDTH);
  }
  const own = open.features.filter((one) => !circuit || one.properties.circuit === circuit);
  open.map.fitBounds(boundsOf(own.length ? own : open.features), { padding: 50, maxZoom: 14, animate: false });
  open.box.dataset.circuit = circuit;
};

const tellChosen = () => say(chosen ? button.dataset.one.replace("{circuit}", chosen) : button.dataset.all);

const show = async () => {
  const { dataset } = button;
  if (!document.createElement("canvas").getContext("webgl2")) throw new Error("no WebGL"); // before anything is loaded
  if (!document.querySelector(`link[href="${dataset.style}"]`)) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: dataset.style }));
  }
  const [{ Map, NavigationControl, ScaleControl, setWorkerUrl }, answer] = await Promise.all([
    import(dataset.library),
    fetch(dataset.map),
  ]);
  if (!answer.ok) throw new Error(answer.status);
  const data = await answer.json();
  setWorkerUrl(new URL(dataset.worker, location.href).href);
  const box = Object.assign(document.createElement("div"), { className: "desk-onmap" });
  drawn.before(box);
  const map = new Map({
    container: box,
    style: style(data),
    bounds: boundsOf(data.features),
    fitBoundsOptions: { padding: 50 },
    attributionControl: false,
    cooperativeGestures: true,
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: 0,
    locale: {
      "Map.Title": dataset.title,
      "NavigationControl.ZoomIn": dataset.nearer,
      "NavigationControl.ZoomOut": dataset.farther,
      "CooperativeGesturesHandler.WindowsHelpText": dataset.control,
      "CooperativeGesturesHandler.MacHelpText": dataset.control.replace("Ctrl", "⌘"),
      "CooperativeGesturesHandler.MobileHelpText": "",
    },
  });
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ maxWidth: 160 }), "bottom-left");
  map.touchZoomRotate.disableRotation();
  open = { map, box, features: data.features };
  await map.once("load");
  choose(dataset.shown);
  const layers = [...DASHES.keys()].map((at) => `runs-${at}`);
  map.on("click", ({ point: { x, y } }) => {
    const [found] = map.queryRenderedFeatures([[x - 5, y - 5], [x + 5, y + 5]], { layers });
    choose(found && found.properties.circuit !== chosen ? found.properties.circuit : "");
    tellChosen();
  });
  map.on("idle", () => (box.dataset.idle = "true"));
};

const hide = () => {
  open?.map.remove();
  document.querySelector(".desk-onmap")?.remove();
  open = null;
  for (const link of links) link.removeAttribute("aria-current");
};

const swap = async () => {
  if (open) {
    hide();
    drawn.style.display = "";
    button.textContent = button.dataset.open;
    say("");
    return;
  }
  button.disabled = true;
  say(button.dataset.busy);
  try {
    await show();
    drawn.style.display = "none";
    button.textContent = button.dataset.close;
    say(button.dataset.ready);
  } catch {
    hide();
    say(button.dataset.failed);
  }
  button.disabled = false;
  button.focus();
};

if (button && drawn) {
  button.hidden = false;
  button.addEventListener("click", swap);
  // While the map is there, a circuit of the table is put forward on it; otherwise its link draws it alone.
  for (const link of links) {
    link.addEventListener("click", (event) => {
      if (!open || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      choose(link.dataset.circuit === chosen ? "" : link.dataset.circuit);
      tellChosen();
    });
  }
}
