/** Where the page lives: everything it asks for is relative to this, so that a proxy may put it below a path. */
export const BASE = new URL("./", document.baseURI);

/** Gives the whole address of something of this server, such as `api/v1/cameras`. */
export const addressOf = (path: string): string => new URL(path.replace(/^\//, ""), BASE).href;

/** Gives the address of a WebSocket of this server. */
export function socketAddressOf(path: string): string {
  const url = new URL(addressOf(path));
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
