-- One bid on one lot. KEYS: the lot's hash, the stream of its events.
-- ARGV: bidder, amount, bid id, now (us), window (us), extension (us), opening bid.
-- Returns {1, leader, price}, or {0} for a refusal.
local BOUNDS = {0, 10000, 50000, 100000, 500000, 1000000, 2500000, 5000000}
local INCREMENTS = {500, 1000, 2500, 5000, 10000, 25000, 50000, 100000}
local function increment(price)
    local i = #BOUNDS
    while BOUNDS[i] > price do i = i - 1 end
    return INCREMENTS[i]
end

local lot = redis.call('HMGET', KEYS[1], 'closes_at_us', 'price_minor', 'minimum_minor', 'leader',
    'top_minor', 'second_minor', 'bid_count')
local closes_at, old_price, minimum = tonumber(lot[1]), tonumber(lot[2]), tonumber(lot[3])
local old_leader, top, second = tonumber(lot[4]), tonumber(lot[5]), tonumber(lot[6])
local bidder, amount, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])
local leader = old_leader

if now >= closes_at then return {0} end
if bidder == leader then
    if amount <= top then return {0} end
    top = amount
elseif amount < minimum then
    return {0}
elseif amount > top then
    second, top, leader = top, amount, bidder
elseif amount > second then
    second = amount
end

local price = tonumber(ARGV[7])
if second > 0 then price = math.max(price, second + increment(second)) end
price = math.min(top, price)
minimum = price + increment(price)
if (price ~= old_price or leader ~= old_leader) and now >= closes_at - tonumber(ARGV[5]) then
    closes_at = math.max(closes_at, now + tonumber(ARGV[6]))
end
local bid_count = tonumber(lot[7]) + 1

redis.call('HSET', KEYS[1], 'closes_at_us', closes_at, 'price_minor', price,
    'minimum_minor', minimum, 'leader', leader, 'top_minor', top, 'second_minor', second,
    'bid_count', bid_count)
redis.call('XADD', KEYS[2], '*', 'bidder', bidder, 'bid_id', ARGV[3], 'maximum_minor', amount,
    'leader', leader, 'price_minor', price, 'minimum_minor', minimum, 'bid_count', bid_count,
    'closes_at_us', closes_at)
return {1, leader, price}
