import type { Bars } from "./bars.ts";
import { cssColor } from "./colors.ts";

/** What stands round a chart that is saved as a picture. */
export interface Words { title: string; note: string; missed: string }

const [WIDTH, HEIGHT, MARGIN, HEAD, LINE] = [1000, 420, 24, 64, 22];

/** Draws a chart with its title, legend and coverage into a PNG. */
export async function chartFile(words: Words, bars: Bars): Promise<Blob> {
  const { drawBars } = await import("./plot.ts");
  const box = document.createElement("div");
  box.style.position = "fixed";
  box.style.left = "-10000px";
  document.body.append(box);
  try {
    const drawn = new Promise<HTMLCanvasElement>((resolve) => {
      const plot = drawBars(box, bars, { width: WIDTH - 2 * MARGIN, height: HEIGHT }, () => undefined, () => queueMicrotask(() => resolve(plot.ctx.canvas)));
    });
    return await blobOf(framed(words, bars, await drawn));
  } finally {
    box.remove();
  }
}

function framed(words: Words, bars: Bars, chart: HTMLCanvasElement): HTMLCanvasElement {
  const scale = devicePixelRatio;
  const legend = [...bars.series.map(({ label, color }) => ({ label, color })), ...(bars.other ? [{ label: `– – ${bars.other.label}`, color: cssColor("ink") }] : []), { label: `▨ ${words.missed}`, color: cssColor("gap") }];
  const picture = document.createElement("canvas");
  picture.width = WIDTH * scale;
  picture.height = (HEAD + LINE + HEIGHT + MARGIN) * scale;
  const pen = picture.getContext("2d");
  if (!pen) throw new Error("no canvas");
  pen.scale(scale, scale);
  pen.fillStyle = cssColor("surface");
  pen.fillRect(0, 0, WIDTH, picture.height);
  pen.fillStyle = cssColor("ink");
  pen.font = "600 17px system-ui, sans-serif";
  pen.fillText(words.title, MARGIN, 32, WIDTH - 2 * MARGIN);
  pen.font = "13px system-ui, sans-serif";
  pen.fillStyle = cssColor("muted");
  pen.fillText(words.note, MARGIN, 54);
  let x = MARGIN;
  for (const { label, color } of legend) {
    pen.fillStyle = color;
    pen.fillRect(x, HEAD + 3, 11, 11);
    pen.fillStyle = cssColor("ink");
    pen.fillText(label, x + 17, HEAD + 13);
    x += pen.measureText(label).width + 38;
  }
  pen.drawImage(chart, MARGIN, HEAD + LINE, WIDTH - 2 * MARGIN, HEIGHT);
  return picture;
}

const blobOf = (picture: HTMLCanvasElement): Promise<Blob> => new Promise((resolve, reject) => {
  picture.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png");
});
