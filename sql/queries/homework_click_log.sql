-- What teachers saw and opened in the ranked list on a day.
-- ranges: log_time
SELECT log_time, day, teacher_id, class_id, tag, chapter_id, section_id, style
FROM homework_click_log
WHERE day = :day
