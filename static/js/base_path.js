// The path that the product lives below, such as /sampler; empty when it has a host of its own. This file is at
// BASE/s/HASH/js/.
export const basePath = new URL("../../..", import.meta.url).pathname.slice(0, -1);

// The path of an address as the server's routes have it.
export const routeOf = (pathname) => (pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : pathname);
