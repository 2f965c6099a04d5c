// The planner's desk. What is dragged sends the form that links, buttons and keyboard send as well, and its answer
// tells what would change before anybody keeps it.

const isDragged = (items, begin) => {
  for (const item of items) {
    item.draggable = true;
    item.addEventListener("dragstart", (event) => {
      item.classList.add("dragged");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", "");
      begin(item);
    });
    item.addEventListener("dragend", () => {
      item.classList.remove("dragged");
      begin(null);
    });
  }
};

const takes = (target, may, drop) => {
  target.addEventListener("dragover", (event) => {
    if (!may()) return;
    event.preventDefault();
    target.classList.add("taking");
  });
  target.addEventListener("dragleave", (event) => {
    if (!target.contains(event.relatedTarget)) target.classList.remove("taking");
  });
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    target.classList.remove("taking");
    if (may()) drop();
  });
};

// A halt goes to another place of its list.
for (const list of document.querySelectorAll("ol[data-order]")) {
  const form = document.getElementById(list.dataset.order);
  let dragged = null;
  document.getElementById(`${form.id}-aide`).hidden = false;
  isDragged(list.children, (item) => (dragged = item));
  for (const item of list.children) {
    const move = () => {
      const places = [...list.children].map((each) => each.dataset.place);
      const [moved] = places.splice([...list.children].indexOf(dragged), 1);
      places.splice([...list.children].indexOf(item), 0, moved);
      form.elements.ordre.value = places.join(" ");
      form.submit();
    };
    takes(item, () => dragged && dragged !== item, move);
  }
}

// A halt, with everybody who waits there, goes over to another run. A locked run says why it takes nobody.
for (const board of document.querySelectorAll("[data-halts]")) {
  const form = document.getElementById(board.dataset.halts);
  let dragged = null;
  document.getElementById(`${form.id}-aide`).hidden = false;
  isDragged(board.querySelectorAll("li[data-place]"), (item) => (dragged = item));
  for (const run of board.querySelectorAll("[data-run]")) {
    const move = () => {
      form.elements.course.value = dragged.closest("[data-run]").dataset.run;
      form.elements.halte.value = dragged.dataset.place;
      form.elements.vers.value = run.dataset.run;
      form.submit();
    };
    takes(run, () => dragged && !run.contains(dragged), move);
  }
}
