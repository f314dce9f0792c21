// lint.js - reads a description of the API on standard input, prints what Redocly's linter finds in it, and fails where that is anything.
// NODE_PATH names the folder of its packages (bootstrap.d/packages installs them).
'use strict';
const fs = require('fs');
const { createConfig, lintFromString } = require('@redocly/openapi-core');

const rules = {
	// The path without parameters counts first (OpenAPI 3.1, "Path Templating Matching"), as in src/route.c.
	'no-ambiguous-paths': 'off',
	// Nothing is said of a licence here.
	'info-license': 'off',
	'info-license-strict': 'off',
	// Where nothing else is, "default" is.
	'operation-4xx-response': 'off',
	'no-unused-components': 'error',
	// Requests are open to members that nobody knows; answers are closed by their own schemas.
	'no-invalid-schema-examples': { severity: 'error', allowAdditionalProperties: true },
	'no-invalid-media-type-examples': { severity: 'error', allowAdditionalProperties: true },
	'no-invalid-parameter-examples': { severity: 'error', allowAdditionalProperties: true },
	'no-enum-type-mismatch': 'error',
	'operation-operationId-unique': 'error',
	'operation-parameters-unique': 'error',
	'operation-tag-defined': 'error',
	'path-params-defined': 'error',
};

async function main() {
	const config = await createConfig({ extends: ['recommended'], rules });
	const found = await lintFromString({ source: fs.readFileSync(0, 'utf8'), absoluteRef: 'openapi.json', config });
	for (const problem of found) {
		console.log(`${problem.severity} ${problem.ruleId} at ${problem.location[0].pointer}: ${problem.message}`);
	}
	process.exitCode = found.length ? 1 : 0;
}

main();
