-- PATCH /api/v1/orders/ID: orders 1 to 100,000 in a scattered order, each once.
local owners, k = {}, 0
function init()
	for token in io.lines(os.getenv("TOKENS") .. "/owners") do owners[#owners + 1] = "Bearer " .. token end
end
function request()
	k = k + 1
	local id = (k * 7919 + 12345 * tonumber(os.getenv("SEED"))) % 100000 + 1
	return wrk.format("PATCH", "/api/v1/orders/" .. id, { ["Authorization"] = owners[(id - 1) % 20 + 1], ["Content-Type"] = "application/json" },
		'{"status":"confirmed","estimated_preparation_minutes":20}')
end
