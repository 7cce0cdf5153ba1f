import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { allowEntryFault, checkSourceUrl } from "../../core/sources/source_policy.ts";
import { caughtProblem } from "../support/caught_problem.ts";

const HUB = ["example.org", "*.example.org", "127.0.0.1:9000", "[::1]:9000", "intranet:8080"];

async function kindOf(url: string, allow: readonly string[] = ["*"]): Promise<string> {
  const problem = await caughtProblem(() => checkSourceUrl(url, allow));
  return problem.kind;
}

Deno.test("checkSourceUrl() lets listed hosts through", () => {
  const allowed: [string, string[]][] = [
    ["https://example.org/a", HUB],
    ["http://EXAMPLE.org:8443/a", HUB],
    ["https://example.org./a", HUB],
    ["https://cdn.example.org/a?b", HUB],
    ["https://a.b.example.org/", HUB],
    ["http://127.0.0.1:9000/x", HUB],
    ["http://2130706433:9000/x", HUB],
    ["http://[0:0:0:0:0:0:0:1]:9000/", HUB],
    ["http://intranet:8080/", HUB],
    ["http://localhost/", ["localhost:80"]],
    ["https://localhost/", ["localhost:443"]],
    ["https://anything.example/", ["*"]],
    ["https://8.8.8.8/", ["*"]],
    ["https://[2606:4700::1111]/", ["*"]],
  ];
  for (const [url, allow] of allowed) checkSourceUrl(url, allow);
});

Deno.test("checkSourceUrl() refuses hosts that are not listed", async () => {
  for (
    const url of [
      "https://example.com/",
      "https://badexample.org/",
      "https://example.org.evil.example/",
      "https://8.8.8.8/",
      "http://127.0.0.1:9001/",
      "https://127.0.0.1/",
      "http://intranet:8081/",
    ]
  ) {
    assertEquals(await kindOf(url, HUB), "forbidden-source", url);
  }
  assertEquals(await kindOf("https://example.org/", []), "forbidden-source");
});

Deno.test("checkSourceUrl() refuses addresses that are not public, however they are written", async () => {
  const hosts = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "１２７.0.0.1",
    "0.0.0.0",
    "0",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.0.0.8",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:1::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[ff02::1]",
    "[fec0::1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "metadata.google.internal",
    "printer.local",
    "intranet",
  ];
  for (const host of hosts) assertEquals(await kindOf(`http://${host}/`), "forbidden-source", host);
  for (const host of ["172.15.0.1", "172.32.0.1", "100.128.0.1", "11.0.0.1", "[2001:4860::8888]"]) {
    checkSourceUrl(`http://${host}/`, ["*"]);
  }
  // Listed without a port, a private name or address stays forbidden.
  assertEquals(await kindOf("http://localhost/", ["localhost"]), "forbidden-source");
});

Deno.test("checkSourceUrl() refuses other schemes, credentials and what is no URL, and shows no secret", async () => {
  for (
    const url of [
      "file:///etc/passwd",
      "ftp://example.org/",
      "data:,x",
      "blob:https://example.org/x",
    ]
  ) {
    assertEquals(await kindOf(url, HUB), "forbidden-source", url);
  }
  for (const url of ["https://user@example.org/", "https://:hush@example.org/"]) {
    assertEquals(await kindOf(url, HUB), "forbidden-source", url);
  }
  for (const url of ["", "example.org", "https://", "http://256.256.256.256/"]) {
    assertEquals(await kindOf(url, HUB), "invalid-request", url);
  }
  const secret = "https://hush:hush@example.com/hush?hush#hush";
  const problem = await caughtProblem(() => checkSourceUrl(secret, HUB));
  assertStringIncludes(problem.message, "current value is example.com");
  assertFalse(JSON.stringify([problem.message, problem.members]).includes("hush"));
});

Deno.test("allowEntryFault() accepts entries that can match", () => {
  for (const entry of ["*", ...HUB, "*.hf.co:8443"]) {
    assertEquals(allowEntryFault(entry), undefined);
  }
  const faults: [string, string][] = [
    ["https://example.org", "must be a host"],
    ["example.org/path", "must be a host"],
    ["user@example.org", "must be a host"],
    ["example.org:99999", "must be a host"],
    ["*example.org", "must be a host"],
    ["exa mple.org", "must be a host"],
    ["127.1:9000", "must be written as 127.0.0.1:9000"],
    ["[0::1]:9000", "must be written as [::1]:9000"],
  ];
  for (const [entry, fault] of faults) assertStringIncludes(allowEntryFault(entry) ?? "", fault);
});
