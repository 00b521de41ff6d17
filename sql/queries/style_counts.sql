-- How often each class was set each style on a day.
-- ranges: class_id
SELECT day, teacher_id, class_id, style, cnt
FROM style_counts
WHERE day = :day
