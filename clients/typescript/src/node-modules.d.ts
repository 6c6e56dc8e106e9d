// The few parts of Node that are used, so that the compiler needs no package. Not part of what is published.
declare module "node:fs" {
  export function openSync(path: string, flags: string, mode?: number): number;
  export function closeSync(fd: number): void;
  export function writeFileSync(to: number | string, text: string, options?: { mode?: number }): void;
  export function readFileSync(path: string, encoding: "utf8"): string;
  export function fsyncSync(fd: number): void;
  export function renameSync(from: string, to: string): void;
  export function linkSync(from: string, to: string): void;
  export function unlinkSync(path: string): void;
  export function existsSync(path: string): boolean;
  export function mkdirSync(path: string, options: { recursive: true; mode: number }): void;
  export function readdirSync(path: string): string[];
  export function statSync(path: string): { size: number };
}
declare module "node:crypto" {
  export function randomUUID(): string;
}
declare module "node:os" {
  export function hostname(): string;
}
declare module "node:readline" {
  export function createInterface(options: { input: unknown }): AsyncIterable<string>;
}
declare module "node:process" {
  const process: {
    pid: number;
    env: Record<string, string | undefined>;
    argv: string[];
    stdin: unknown;
    stdout: { write(text: string): boolean };
    exitCode: number | undefined;
    on(signal: string, f: () => void): void;
    off(signal: string, f: () => void): void;
    exit(code: number): never;
    hrtime: { bigint(): bigint };
  };
  export default process;
}
