-- POST /api/v1/orders/: two lines of a random shop, by a random customer.
local customers = {}
function init()
	math.randomseed(tonumber(os.getenv("SEED")))
	for token in io.lines(os.getenv("TOKENS") .. "/customers") do customers[#customers + 1] = "Bearer " .. token end
end
function request()
	local r = math.random
	local shop = r(1, 20)
	local one = r(1, 50)
	return wrk.format("POST", "/api/v1/orders/", { ["Authorization"] = customers[r(1, #customers)], ["Content-Type"] = "application/json" },
		string.format('{"shop_id":%d,"order_type":"pre_order","scheduled_pickup_time":"2030-02-26T17:00:00+05:30",' ..
			'"order_notes":"Will come at 5 PM sharp","items":[{"product_id":%d,"quantity":1},{"product_id":%d,"quantity":1}]}',
			shop, (shop - 1) * 50 + one, (shop - 1) * 50 + one % 50 + 1))
end
