import type { Picture } from "../api/live-messages.ts";

/** Draws JPEGs onto a canvas one after the other; of those that wait, the newest. */
export class Painter {
  #waiting: Picture | null = null;
  #isDrawing = false;
  #isOver = false;

  readonly #canvas: HTMLCanvasElement;
  readonly #onShown: (picture: Picture) => void;

  constructor(canvas: HTMLCanvasElement, onShown: (picture: Picture) => void) {
    this.#canvas = canvas;
    this.#onShown = onShown;
  }

  show(picture: Picture): void {
    if (this.#isOver) return;
    this.#waiting = picture;
    if (!this.#isDrawing) void this.#drawAll();
  }

  /** Draws nothing more. */
  end(): void {
    this.#isOver = true;
    this.#waiting = null;
  }

  async #drawAll(): Promise<void> {
    this.#isDrawing = true;
    while (this.#waiting) {
      const picture = this.#waiting;
      this.#waiting = null;
      await this.#draw(picture);
    }
    this.#isDrawing = false;
  }

  async #draw(picture: Picture): Promise<void> {
    let bitmap: ImageBitmap;
    try {
      bitmap = await createImageBitmap(picture.jpeg);
    } catch {
      return; /* What cannot be decoded is no picture; the next one comes. */
    }
    if (!this.#isOver) {
      const canvas = this.#canvas;
      if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
        canvas.width = bitmap.width;
        canvas.height = bitmap.height;
      }
      canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
      this.#onShown(picture);
    }
    bitmap.close();
  }
}
