-- Packages offered on a day, and how often each was really set.
SELECT day, teacher_id, class_id, chapter_id, section_id, style, cnt
FROM homework_offered
WHERE day = :day
