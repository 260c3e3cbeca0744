== first
-- rows: select * from emp order by id; select * from rich_names; select * from dept_count
create table emp (id int primary key, fname varchar(20), lname varchar(20), dept int, salary decimal(10,2));
create view emp_names as select id, concat(fname,' ',lname) as name, dept from emp;
create view dept_count as select dept, count(*) as n from emp_names group by dept;
create algorithm=merge sql security invoker view rich as select * from emp where salary > 100 with cascaded check option;
create view rich_names as select r.id, e.name from rich r join emp_names e on e.id = r.id;
insert into emp values (1,'a','b',1,50),(2,'c','d',1,150);
== second
-- rows: select id, first_name, lname, dept_id, salary from emp order by id; select * from top; select * from dept_count
-- was: table.emp.columns.first_name fname
-- was: table.emp.columns.dept_id dept
-- arrives: select id, first_name, lname, dept_id, salary from emp order by id; select * from top; select * from dept_count
create table emp (id bigint primary key, first_name varchar(50), lname varchar(20), dept_id int, salary decimal(12,2), hired date);
create view emp_names as select id, concat(first_name,' ',lname) as name, dept_id from emp;
create view dept_count as select dept_id, count(*) as n, min(name) as first from emp_names group by dept_id;
create algorithm=temptable sql security definer view rich as select id, salary from emp where salary > 120;
create view rich_names as select r.id, e.name, r.salary from rich r join emp_names e on e.id = r.id;
create view top as select max(salary) as m from rich_names;
insert into emp (id,first_name,lname,dept_id,salary) values (1,'a','b',1,50),(2,'c','d',1,150);
== first again
-- was: table.emp.columns.fname first_name
-- was: table.emp.columns.dept dept_id
create table emp (id int primary key, fname varchar(20), lname varchar(20), dept int, salary decimal(10,2));
create view emp_names as select id, concat(fname,' ',lname) as name, dept from emp;
create view dept_count as select dept, count(*) as n from emp_names group by dept;
create algorithm=merge sql security invoker view rich as select * from emp where salary > 100 with cascaded check option;
create view rich_names as select r.id, e.name from rich r join emp_names e on e.id = r.id;
insert into emp values (1,'a','b',1,50),(2,'c','d',1,150);
