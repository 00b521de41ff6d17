-- Teachers: region, school, experience.
SELECT teacher_id, province_id, city_id, county_id, school_id, register_day, is_core, years_teaching
FROM r_teacher_info
