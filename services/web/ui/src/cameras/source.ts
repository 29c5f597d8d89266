/** What kind of place a camera's pictures come from, and what its address lacks. */
export const KINDS = ["camera", "file", "demo"] as const;
export type Kind = (typeof KINDS)[number];

/** What an address names; one without a scheme is a path. */
export const kindOf = (address: string): Kind =>
  address.startsWith("demo:") ? "demo" : address === "" || /^[a-z]+:\/\//i.test(address) ? "camera" : "file";

/** Says what an address of this kind lacks: all of it, or the scheme of a camera; null: nothing that can be seen. */
export function lackOf(kind: Kind, address: string): "address" | "scheme" | null {
  const bare = address.trim();
  if (!bare) return "address";
  return kind === "camera" && kindOf(bare) !== "camera" ? "scheme" : null;
}
