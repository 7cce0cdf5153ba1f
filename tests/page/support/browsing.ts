/**
 * The page in Debian's Chromium, served by an application of its own.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { pageFiles } from "../../../core/host/page_files.ts";
import { testApp, type TestAppOptions } from "../../support/service.ts";

/** What a test may choose. */
export interface BrowsingOptions extends TestAppOptions {
  /** Folder of the browser's profile, so that what it keeps outlives it; a fresh one if absent. */
  readonly profile?: string;
  /** Port of the service, as what a browser keeps belongs to one origin; a free one if absent. */
  readonly port?: number;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: "light" | "dark";
  /** Whether Chromium offers a WebGPU adapter, which the processor plays. */
  readonly webgpu?: boolean;
  /** Console errors that the test expects, such as of an answer of 422. */
  readonly expected?: RegExp;
}

/** What a test is given. */
export interface Browsing {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly origin: string;
  /** The application, to be asked without the browser. */
  readonly app: ReturnType<typeof testApp>["app"];
}

const FLAGS = [
  ...["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
];
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/**
 * Opens the page and runs a test. Fails afterwards if the page wrote an error to its console, or asked anything but
 * its own origin.
 */
export async function browsing(
  options: BrowsingOptions,
  run: (given: Browsing) => Promise<void>,
): Promise<void> {
  const { app, close, faults } = testApp({ page: pageFiles(), ...options });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: options.port ?? 0, onListen: () => {} },
    (request) => app.fetch(request),
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const profile = options.profile ?? await Deno.makeTempDir();
  const { viewport = { width: 1280, height: 800 }, colorScheme = "light", expected } = options;
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium",
    args: [...FLAGS, ...(options.webgpu ? WEBGPU : ["--disable-gpu"])],
    viewport,
    colorScheme,
    acceptDownloads: true,
  });
  const errors: string[] = [];
  const foreign: string[] = [];
  try {
    context.on("console", (message) => {
      const text = message.text();
      if (message.type() === "error" && !expected?.test(text)) errors.push(text);
    });
    context.on("weberror", (error) => errors.push(String(error.error())));
    context.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${origin}/`) && !/^(?:blob|data):/.test(url)) foreign.push(url);
    });
    const page = context.pages()[0] ?? await context.newPage();
    await page.goto(`${origin}/`);
    await run({ page, context, origin, app });
    assertEquals(errors, [], "errors on the console");
    assertEquals(foreign, [], "requests to other origins");
    assertEquals(faults, [], "faults of the service");
  } finally {
    await context.close();
    await server.shutdown();
    await close();
    if (options.profile === undefined) await Deno.remove(profile, { recursive: true });
  }
}
