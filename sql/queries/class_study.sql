-- How classes master sections at the end of a day.
-- ranges: class_id
SELECT class_id, section_id, day, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10,
       v11, v12, v13, v14, v15, v16, v17, v18, v19, v20
FROM class_study
WHERE day = :day
