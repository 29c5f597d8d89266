import type { Camera } from "../api/types.ts";

/** The dialog that adds a camera, or changes one: it is asked for from anywhere. */
export const dialog = $state<{ isOpen: boolean; camera: Camera | null }>({ isOpen: false, camera: null });

export function addCamera(): void {
  dialog.camera = null;
  dialog.isOpen = true;
}

export function editCamera(camera: Camera): void {
  dialog.camera = camera;
  dialog.isOpen = true;
}
