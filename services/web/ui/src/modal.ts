import { toastArea } from "./toast.ts";

/**
 * Opens a modal dialog and removes it when it closes. What lies outside of an open dialog can be
 * neither seen well nor clicked, so the toasts move into it for that time.
 */
export function openModal(dialog: HTMLDialogElement, closed: () => void = () => undefined): void {
  const area = toastArea();
  const home = area.parentElement;
  dialog.addEventListener("close", () => {
    home?.append(area);
    dialog.remove();
    closed();
  });
  document.body.append(dialog);
  dialog.append(area);
  dialog.showModal();
}
