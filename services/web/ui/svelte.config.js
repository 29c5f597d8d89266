/** Scoped styles go into the page's style sheet: the content policy forbids styles in the page itself. */
export default { compilerOptions: { runes: true, css: "external" } };
