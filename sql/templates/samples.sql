-- One row a user and item of the days from :first to :day: whether the item was taken at all, how often it was shown, and
-- what the item was by the last of these days on which it was. A statement of sql/queries that is made of it says:
--   template: samples, window: days, log and its columns user, item, label (0 or 1) and date (written as `days` says),
--   items: a table of items with a row a change, since: its column of the day from which on that holds, columns: of it.
SELECT :day AS day, shown.{user}, shown.{item}, shown.{label}, shown.times, shown.last_day, {known.columns}
FROM (
  SELECT {user}, {item}, MAX({label}) AS {label}, COUNT(*) AS times, MAX({date}) AS last_day
  FROM {log}
  WHERE {date} >= :first AND {date} <= :day
  GROUP BY {user}, {item}
) AS shown
LEFT JOIN {items} AS known ON known.{item} = shown.{item} AND known.{since} = (
  SELECT MAX(earlier.{since})
  FROM {items} AS earlier
  WHERE earlier.{item} = shown.{item} AND earlier.{since} <= shown.last_day
)
