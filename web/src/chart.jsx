// A figure drawn by Observable Plot at the width it is given. Plot puts its rules into a <style> element, which style-src 'self'
// forbids; the element is taken out before the figure enters the document, and style/charts.css has the same rules.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** A ref for a box, and how wide it is; 0 before it is drawn. */
export function useWidth() {
  const box = useRef(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const read = () => setWidth(Math.floor(box.current.clientWidth));
    const watch = new ResizeObserver(read);
    watch.observe(box.current);
    read();
    return () => watch.disconnect();
  }, []);
  return [box, width];
}

/** `draw(width)` returns an SVG element of Plot; it is drawn again when `inputs` change or the width does. `height(width)`: room that is kept for it
    from the start, so that nothing moves when it comes. */
export function Chart({ draw, inputs, label, height }) {
  const [box, width] = useWidth();
  const [, failed] = useState(null);
  useEffect(() => {
    if (!width) return undefined;
    let wanted = true;
    draw(width)
      .then((svg) => {
        if (!wanted || !box.current) return;
        svg.querySelectorAll("style").forEach((style) => style.remove());
        svg.setAttribute("role", "img");
        svg.setAttribute("aria-label", label);
        box.current.replaceChildren(svg);
      })
      .catch((error) => failed(() => { throw error; }));
    return () => void (wanted = false);
  }, [width, label, ...inputs]);
  return <div class="chart" ref={box} style={height && width ? { minHeight: `${height(width)}px` } : undefined} />;
}
