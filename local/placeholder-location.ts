/**
 * Where a local request comes from. Cloudflare tells a Worker the client's location in
 * `request.cf`; on one machine there is none to tell, so every request gets this one, fixed, so
 * that records and statistics look as they do when deployed. The network's number is one of those
 * kept for documentation (RFC 5398).
 */
const placeholderLocation = {
  country: "NL",
  region: "North Holland",
  regionCode: "NH",
  city: "Amsterdam",
  continent: "EU",
  timezone: "Europe/Amsterdam",
  latitude: "52.37403",
  longitude: "4.88969",
  asn: 64496,
  asOrganization: "Local placeholder",
  colo: "AMS",
};

export const entryName = "local-entry.js";

/**
 * Main module of the local gateway. The bundle stays as it is deployed; this module hands its
 * exports on and sets `request.cf`, over whatever a client may have sent for it.
 */
export const entryModule = `import worker from "./index.js";
export * from "./index.js";
const cf = Object.freeze(${JSON.stringify(placeholderLocation)});
export default {
  ...worker,
  fetch(request, env, context) {
    Object.defineProperty(request, "cf", { value: cf });
    return worker.fetch(request, env, context);
  },
};
`;
