/* global SwaggerUIBundle */

// Credentials stay in the page's memory: nothing is kept once it is closed.
// oxlint-disable-next-line typescript/no-unsafe-call -- the bundle of the page, loaded before this
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#interface",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  persistAuthorization: false,
  // Else the document is shown to a validator on another host.
  validatorUrl: null,
});
