/** Routes and keys of the API that its description does not have yet. */
import type createClient from "openapi-fetch";
import type { Parameters } from "../api/answers.ts";
import { client } from "../api/client.ts";

/** What has a code beside its text. */
export interface Coded { code?: string | null; params?: Parameters | null }

export interface Gap extends Coded { camera: string; from: string; to: string; cause: string }

/** One making of a camera; `deleted` null: it is there. */
export interface Generation { camera: string; generation: number; name: string; created: string; deleted: string | null; crossings: number }

interface Answers<T> { responses: { 200: { content: { "application/json": { items: T[] } } } } }
interface Paths {
  "/api/v1/gaps": { get: { parameters: { query: { from: string; to: string } } } & Answers<Gap> };
  "/api/v1/generations": { get: { parameters: object } & Answers<Generation> };
  "/api/v1/cameras/{camera}/generations/{generation}": {
    delete: { parameters: { path: { camera: string; generation: number } }; responses: { 204: { content?: never } } };
  };
}

export const coming = client as unknown as ReturnType<typeof createClient<Paths, "application/json">>;
