-- Online Retail II: customers.
SELECT teacher_id, country, register_day
FROM r_teacher_info
