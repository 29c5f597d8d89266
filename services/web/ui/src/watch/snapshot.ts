/** Gives the browser a file to keep. */
export async function save(canvas: HTMLCanvasElement, name: string): Promise<void> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  if (!blob) throw new Error("the picture cannot be written");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const pad = (value: number): string => String(value).padStart(2, "0");

/** `gate 2026-11-21 20-43-29.jpg`, in the browser's time: names of files know no colons. */
export function snapshotName(camera: string, time: string): string {
  const at = new Date(time);
  const day = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(pad).join("-");
  return `${camera} ${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(pad).join("-")}.jpg`;
}
