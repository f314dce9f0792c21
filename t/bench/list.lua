-- GET /api/v1/orders/shop/ID: the newest 50 pending pre-orders of a random shop.
local owners = {}
function init()
	math.randomseed(tonumber(os.getenv("SEED")))
	for token in io.lines(os.getenv("TOKENS") .. "/owners") do owners[#owners + 1] = "Bearer " .. token end
end
function request()
	local shop = math.random(1, 20)
	return wrk.format("GET", "/api/v1/orders/shop/" .. shop .. "?order_type=pre_order&status=pending", { ["Authorization"] = owners[shop] })
end
